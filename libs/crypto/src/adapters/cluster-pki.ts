import { join } from 'node:path';
import { type Clock, systemClock } from '@isthmus/core';
import {
  type CertificateProfile,
  clientNames,
  clientProfile,
  etcdServerProfile,
  joinServerProfile,
  LEAF_VALIDITY_MS,
  type ServerNames,
} from '../pki/certificate-profile.ts';
import { createClusterCa } from '../pki/cluster-ca.ts';
import { revocationList } from '../pki/revocation-list.ts';
import { CaDirectory } from './ca-directory.ts';
import { CertificatePair, type PairPaths } from './certificate-pair.ts';
import { readIfPresent, writeCertificateFile } from './key-file.ts';

/** Where {@link clusterPki} put things. */
export interface ClusterPkiPaths {
  ca: PairPaths;
  clusterEtcd: PairPaths;
  meshEtcd: PairPaths;
  /** Certificates of other clusters that the mesh etcd refuses: its `--client-crl-file`. */
  meshEtcdRevoked: string;
  /** The certificate file also holds a CA, so that a caller with only a pin can check it. */
  joinApi: PairPaths;
  clients: { root: PairPaths; admin: PairPaths; operator: PairPaths; apiserver: PairPaths; local: PairPaths };
}

/** What a new cluster is called and where its control plane is reached. */
export interface ClusterPkiOptions {
  cluster: string;
  controlPlaneIps: readonly string[];
  dnsNames?: readonly string[];
  /** Life of the certificates in milliseconds; a year unless given. */
  validityMs?: number;
  /** The machine's clock unless given. */
  clock?: Clock;
}

/**
 * Lays out every certificate that a new cluster needs under `dir`: `ca/`, `cluster-etcd/`, `mesh-etcd/`, `join-api/` and `clients/`. Run
 * again it keeps what is good and replaces only what is missing, past the middle of its life, or made for other names or by another CA.
 * @throws CodedError KEY_FILE_OPEN, CA_KEY_MISMATCH, CERTIFICATE_EXPIRED (the CA's)
 */
export async function clusterPki(dir: string, options: ClusterPkiOptions): Promise<ClusterPkiPaths> {
  const { cluster, clock = systemClock, validityMs = LEAF_VALIDITY_MS } = options;
  const ca = new CaDirectory(join(dir, 'ca'));
  if (!(await ca.exists())) await ca.write(await createClusterCa({ cluster, clock }));
  const paths = clusterPkiPaths(dir, cluster);
  const profiles = controlPlaneProfiles(cluster, { ips: options.controlPlaneIps, dnsNames: options.dnsNames ?? [] });
  for (const { name, pair } of controlPlanePairs(dir, cluster, clock)) await pair.ensure({ ...profiles[name], validityMs });
  if ((await readIfPresent(paths.meshEtcdRevoked)) === undefined)
    await writeCertificateFile(paths.meshEtcdRevoked, await revocationList(await ca.signer(), [], clock));
  return paths;
}

/** Where {@link clusterPki} puts things under `dir`; nothing is read or made. */
export function clusterPkiPaths(dir: string, cluster: string): ClusterPkiPaths {
  const pair = (folder: string, name: string): PairPaths => ({
    cert: join(dir, folder, `${name}.crt`),
    key: join(dir, folder, `${name}.key`),
  });
  return {
    ca: pair('ca', 'ca'),
    clusterEtcd: pair('cluster-etcd', 'server'),
    meshEtcd: pair('mesh-etcd', 'server'),
    meshEtcdRevoked: join(dir, 'mesh-etcd', 'revoked.crl'),
    joinApi: pair('join-api', 'server'),
    clients: {
      root: pair('clients', 'root'),
      admin: pair('clients', clientNames.admin(cluster)),
      operator: pair('clients', 'operator'),
      apiserver: pair('clients', 'apiserver'),
      local: pair('clients', clientNames.local(cluster)),
    },
  };
}

/** Names of the control plane's certificates, for people. */
export type ControlPlaneName = 'cluster etcd' | 'mesh etcd' | 'join API' | 'root' | 'admin' | 'operator' | 'apiserver' | 'local';

/** Every certificate of the control plane. The machine that has them has the CA's key, too. */
export function controlPlanePairs(dir: string, cluster: string, clock: Clock): { name: ControlPlaneName; pair: CertificatePair }[] {
  const ca = new CaDirectory(join(dir, 'ca'));
  const { clusterEtcd, meshEtcd, joinApi, clients } = clusterPkiPaths(dir, cluster);
  const all: Record<ControlPlaneName, PairPaths> = { 'cluster etcd': clusterEtcd, 'mesh etcd': meshEtcd, 'join API': joinApi, ...clients };
  return (Object.entries(all) as [ControlPlaneName, PairPaths][]).map(([name, paths]) => {
    return { name, pair: new CertificatePair({ paths, ca, clock, withCa: name === 'join API' }) };
  });
}

function controlPlaneProfiles(cluster: string, names: ServerNames): Record<ControlPlaneName, CertificateProfile> {
  return {
    'cluster etcd': etcdServerProfile(names),
    'mesh etcd': etcdServerProfile(names),
    'join API': joinServerProfile(cluster, names),
    root: clientProfile(clientNames.root),
    admin: clientProfile(clientNames.admin(cluster)),
    operator: clientProfile(clientNames.operator),
    apiserver: clientProfile(clientNames.apiserver),
    local: clientProfile(clientNames.local(cluster)),
  };
}
