import { isIP } from 'node:net';
import { CodedError } from '@isthmus/core';
import { type EtcdConfig, endpointUrl } from '../../etcd-config.ts';
import { KV_CONFIG } from '../../kv-errors.ts';

/** One place to connect to. */
export interface EtcdTarget {
  /** For people: the endpoint, with the address where an alias gave one. */
  name: string;
  /** For gRPC: `ipv4:…`, `ipv6:…` or `dns:…`. */
  address: string;
  secure: boolean;
  /** Name or IP address that the server's certificate must carry. */
  identity: string;
}

/** All places that a configuration names: an endpoint whose host has aliases stands for each of their addresses. */
export function etcdTargets(config: EtcdConfig): EtcdTarget[] {
  const aliases = new Map((config.hostAliases ?? []).map(({ hostname, ips }) => [hostname, ips]));
  const targets = config.endpoints.flatMap((endpoint) => {
    const url = endpointUrl(endpoint, config.trustedCaFile !== undefined);
    if (!url) throw new CodedError(KV_CONFIG, `${endpoint} is no endpoint URL`, { object: endpoint });
    const host = url.hostname.replace(/^\[|\]$/g, '');
    return (aliases.get(host) ?? [host]).map((address) => target(url, host, address));
  });
  if (targets.length === 0) throw new CodedError(KV_CONFIG, 'an etcd configuration has no endpoint', { object: 'endpoints' });
  return targets;
}

function target(url: URL, host: string, address: string): EtcdTarget {
  const secure = url.protocol === 'https:';
  const port = url.port || (secure ? '443' : '80');
  const family = isIP(address);
  const grpc = family === 6 ? `ipv6:[${address}]:${port}` : `${family === 4 ? 'ipv4' : 'dns'}:${address}:${port}`;
  const name = `${url.protocol}//${url.host}${address === host ? '' : ` (${address})`}`;
  return { name, address: grpc, secure, identity: host };
}
