import type { EtcdConfig } from '@isthmus/kvstore';
import { ENCRYPTION_EXEMPTIONS, type EncryptionExemption } from '@isthmus/model';

/** How the node's etcds are reached. */
export interface Etcds {
  readonly cluster: Pick<EtcdConfig, 'endpoints'>;
  readonly mesh: Pick<EtcdConfig, 'endpoints'> | undefined;
}

/** What of a node's own packets is never encrypted: the list for all nodes, and what this one's control plane is reached at. */
export function exemptPorts({ cluster, mesh }: Etcds, joinApi: string): EncryptionExemption[] {
  const own: [string, readonly string[]][] = [
    ['cluster etcd', cluster.endpoints],
    ['mesh etcd', mesh?.endpoints ?? []],
    ['join API', [joinApi]],
  ];
  return [...ENCRYPTION_EXEMPTIONS, ...own.flatMap(([purpose, endpoints]) => exemption(purpose, endpoints))];
}

function exemption(purpose: string, endpoints: readonly string[]): EncryptionExemption[] {
  const ports = [...new Set(endpoints.map(portOf).filter((port) => port > 0))].sort((a, b) => a - b);
  return ports.length === 0 ? [] : [{ protocol: 'TCP', ports, purpose }];
}

/** Of `https://host:port` or `host:port`; 0 where it names none. */
function portOf(endpoint: string): number {
  return Number(/:(\d+)\/?$/.exec(endpoint)?.[1] ?? 0);
}
