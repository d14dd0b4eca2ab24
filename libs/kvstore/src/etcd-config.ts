import { CodedError, messageOf } from '@isthmus/core';
import { parse } from 'yaml';
import { z } from 'zod';
import { KV_CONFIG } from './kv-errors.ts';

/** Where an etcd is and how to speak to it: the content of Cilium's etcd client configuration (reference: clustermesh §2.1). */
export interface EtcdConfig {
  /** URLs, `https://host:port`. Without TLS files and scheme: plain `http`. */
  endpoints: readonly string[];
  /** File of the CA bundle that signed the server's certificate. */
  trustedCaFile?: string;
  /** File of the client certificate; its common name is the etcd user. */
  certFile?: string;
  /** File of the client certificate's private key. */
  keyFile?: string;
  /** Addresses of endpoint host names that DNS does not know. */
  hostAliases?: readonly EtcdHostAlias[];
}

/** Addresses for one host name. */
export interface EtcdHostAlias {
  hostname: string;
  ips: readonly string[];
}

const schema = z.object({
  endpoints: z.array(z.string().min(1)).min(1),
  'trusted-ca-file': z.string().optional(),
  'cert-file': z.string().optional(),
  'key-file': z.string().optional(),
  'cilium-host-aliases': z.array(z.object({ hostname: z.string().min(1), ips: z.array(z.string().min(1)).min(1) })).optional(),
});

/**
 * Reads an etcd client configuration. Unknown fields are ignored.
 * @param text YAML
 * @param name what to call it in errors: a file, a cluster
 * @throws CodedError KV_CONFIG naming the field
 */
export function parseEtcdConfig(text: string, name: string): EtcdConfig {
  const parsed = schema.safeParse(parseYaml(text, name));
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw refuse(name, `${path.length > 0 ? `${path.join('.')}: ` : ''}${message}`);
  }
  const raw = parsed.data;
  for (const endpoint of raw.endpoints)
    if (!endpointUrl(endpoint, true)) throw refuse(name, `endpoints: ${endpoint} is no http(s) URL with a port`);
  if ((raw['cert-file'] === undefined) !== (raw['key-file'] === undefined)) throw refuse(name, 'cert-file and key-file go together');
  checkAliases(raw['cilium-host-aliases'] ?? [], name);
  return {
    endpoints: raw.endpoints,
    ...(raw['trusted-ca-file'] && { trustedCaFile: raw['trusted-ca-file'] }),
    ...(raw['cert-file'] && { certFile: raw['cert-file'] }),
    ...(raw['key-file'] && { keyFile: raw['key-file'] }),
    ...(raw['cilium-host-aliases'] && { hostAliases: raw['cilium-host-aliases'] }),
  };
}

/** True when a file's text is meant as an etcd client configuration, by the rule Cilium uses. */
export function looksLikeEtcdConfig(text: string): boolean {
  return text.includes('endpoints:');
}

/** The endpoint as a URL, undefined when it is none. `secure` decides for endpoints without a scheme. */
export function endpointUrl(endpoint: string, secure: boolean): URL | undefined {
  const url = URL.parse(endpoint.includes('://') ? endpoint : `${secure ? 'https' : 'http'}://${endpoint}`);
  return url && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '' ? url : undefined;
}

function parseYaml(text: string, name: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw refuse(name, messageOf(cause));
  }
}

function checkAliases(aliases: readonly EtcdHostAlias[], name: string): void {
  const seen = new Set<string>();
  for (const { hostname } of aliases) {
    if (seen.has(hostname)) throw refuse(name, `cilium-host-aliases: ${hostname} is there twice`);
    seen.add(hostname);
  }
}

function refuse(name: string, why: string): CodedError {
  return new CodedError(KV_CONFIG, `etcd configuration ${name}: ${why}`, { object: name });
}
