/** Decides everything that a signed certificate says. The requester contributes only its public key. */
export interface CertificateProfile {
  commonName: string;
  dnsNames: readonly string[];
  ips: readonly string[];
  uris: readonly string[];
  usages: readonly ('server' | 'client')[];
  /** Milliseconds. Cut short where the CA ends earlier. */
  validityMs: number;
}

/** One day in milliseconds. */
export const DAY_MS = 86_400_000;

/** Life of a CA. */
export const CA_VALIDITY_MS = 3650 * DAY_MS;

/** Life of every other certificate. */
export const LEAF_VALIDITY_MS = 365 * DAY_MS;

/** Addresses and names under which a server is reached, besides loopback. */
export interface ServerNames {
  dnsNames?: readonly string[];
  ips?: readonly string[];
}

/**
 * Server certificate of an etcd. It is also a client certificate, because etcd's own JSON gateway dials the server with it; the common
 * name is no etcd user, so it opens nothing. `*.mesh.cilium.io` is the name under which Cilium clusters look for a mesh etcd.
 */
export function etcdServerProfile(names: ServerNames = {}): CertificateProfile {
  return { ...serverProfile('clustermesh-apiserver.cilium.io', names, ['*.mesh.cilium.io']), usages: ['server', 'client'] };
}

/** Server certificate of the join API. */
export function joinServerProfile(cluster: string, names: ServerNames = {}): CertificateProfile {
  return serverProfile(`join-${cluster}`, names, ['*.mesh.cilium.io']);
}

/** A client certificate whose common name is an etcd user, for instance one of {@link clientNames}. */
export function clientProfile(commonName: string): CertificateProfile {
  return { commonName, dnsNames: [], ips: [], uris: [], usages: ['client'], validityMs: LEAF_VALIDITY_MS };
}

/** Certificate of a node's agent: etcd user `agent-<node>`, and the node's SPIFFE name. Agents show it to each other, whoever calls. */
export function agentProfile(cluster: string, node: string): CertificateProfile {
  return { ...clientProfile(clientNames.agent(node)), uris: [spiffeNodeId(cluster, node)], usages: ['server', 'client'] };
}

/** The SPIFFE name of a node: `spiffe://<cluster>/node/<name>`. */
export function spiffeNodeId(cluster: string, node: string): string {
  return `spiffe://${cluster}/node/${node}`;
}

/** Common names of client certificates, which are names of etcd users (reference: clustermesh §2.2). */
export const clientNames = {
  admin: (cluster: string): string => `admin-${cluster}`,
  local: (cluster: string): string => `local-${cluster}`,
  remote: (cluster: string): string => `remote-${cluster}`,
  agent: (node: string): string => `agent-${node}`,
  operator: 'operator',
  apiserver: 'apiserver',
  root: 'root',
} as const;

function serverProfile(commonName: string, names: ServerNames, extraDns: readonly string[]): CertificateProfile {
  return {
    commonName,
    dnsNames: [...new Set(['localhost', ...extraDns, ...(names.dnsNames ?? [])])],
    ips: [...new Set(['127.0.0.1', '::1', ...(names.ips ?? [])])],
    uris: [],
    usages: ['server'],
    validityMs: LEAF_VALIDITY_MS,
  };
}
