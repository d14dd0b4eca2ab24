import { join } from 'node:path';
import { type Clock, systemClock } from '@isthmus/core';
import { mergeBundles } from '../pki/ca-bundle.ts';
import { certificateFacts } from '../pki/certificate-facts.ts';
import {
  type CertificateProfile,
  clientNames,
  clientProfile,
  etcdServerProfile,
  joinServerProfile,
  type ServerNames,
} from '../pki/certificate-profile.ts';
import { newKeyAndRequest } from '../pki/certificate-request.ts';
import { createClusterCa } from '../pki/cluster-ca.ts';
import { keyBelongsTo } from '../pki/key-pair.ts';
import { renewAt } from '../pki/renewal.ts';
import { signRequest } from '../pki/sign-request.ts';
import { CaDirectory } from './ca-directory.ts';
import { readIfPresent, writeCertificateFile, writeKeyFile } from './key-file.ts';

/** A certificate and its key on disk. */
export interface PairPaths {
  cert: string;
  key: string;
}

/** Where {@link clusterPki} put things. */
export interface ClusterPkiPaths {
  ca: PairPaths;
  clusterEtcd: PairPaths;
  meshEtcd: PairPaths;
  /** The certificate file also holds the CA, so that a caller with only a pin can check it. */
  joinApi: PairPaths;
  clients: { root: PairPaths; admin: PairPaths; operator: PairPaths; apiserver: PairPaths; local: PairPaths };
}

/** What a new cluster is called and where its control plane is reached. */
export interface ClusterPkiOptions {
  cluster: string;
  controlPlaneIps: readonly string[];
  dnsNames?: readonly string[];
  /** The machine's clock unless given. */
  clock?: Clock;
}

/**
 * Lays out every certificate that a new cluster needs under `dir`: `ca/`, `cluster-etcd/`, `mesh-etcd/`, `join-api/` and `clients/`. Run
 * again it keeps what is good and replaces only what is missing, past two thirds of its life, or made for other names or by another CA.
 * @throws CodedError KEY_FILE_OPEN, CA_KEY_MISMATCH, CERTIFICATE_EXPIRED (the CA's)
 */
export async function clusterPki(dir: string, options: ClusterPkiOptions): Promise<ClusterPkiPaths> {
  const clock = options.clock ?? systemClock;
  const ca = new CaDirectory(join(dir, 'ca'));
  if (!(await ca.exists())) await ca.write(await createClusterCa({ cluster: options.cluster, clock }));
  const names: ServerNames = { ips: options.controlPlaneIps, dnsNames: options.dnsNames ?? [] };
  const issue = (paths: PairPaths, profile: CertificateProfile, chain = false): Promise<void> =>
    ensurePair({ paths, profile, ca, clock, chain });
  const paths = clusterPkiPaths(dir, options.cluster);
  await issue(paths.clusterEtcd, etcdServerProfile(names));
  await issue(paths.meshEtcd, etcdServerProfile(names));
  await issue(paths.joinApi, joinServerProfile(options.cluster, names), true);
  await issue(paths.clients.root, clientProfile(clientNames.root));
  await issue(paths.clients.admin, clientProfile(clientNames.admin(options.cluster)));
  await issue(paths.clients.operator, clientProfile(clientNames.operator));
  await issue(paths.clients.apiserver, clientProfile(clientNames.apiserver));
  await issue(paths.clients.local, clientProfile(clientNames.local(options.cluster)));
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

interface PairOrder {
  paths: PairPaths;
  profile: CertificateProfile;
  ca: CaDirectory;
  clock: Clock;
  /** Append the CA to the certificate file. */
  chain: boolean;
}

async function ensurePair(order: PairOrder): Promise<void> {
  const { paths } = order;
  if (await isGood(order)) return;
  const signer = await order.ca.signer();
  const { keyPem, csrPem } = await newKeyAndRequest({ commonName: order.profile.commonName });
  const certPem = await signRequest({ ca: signer, csrPem, profile: order.profile, clock: order.clock });
  await writeKeyFile(paths.key, keyPem);
  await writeCertificateFile(paths.cert, order.chain ? mergeBundles(certPem, signer.certPem) : certPem);
}

async function isGood(order: PairOrder): Promise<boolean> {
  const { paths } = order;
  const [certPem, keyPem] = [await readIfPresent(paths.cert), await readIfPresent(paths.key)];
  if (certPem === undefined || keyPem === undefined || !keyBelongsTo(certPem, keyPem)) return false;
  const facts = certificateFacts(certPem, paths.cert);
  const signer = certificateFacts((await order.ca.signer()).certPem);
  return order.clock.wall() < renewAt(facts) && facts.issuerKeyId === signer.keyId && coversNames(facts.sans, order.profile);
}

function coversNames(sans: { dns: string[]; ips: string[] }, profile: CertificateProfile): boolean {
  const ips = new Set(sans.ips.map(plainIp));
  return profile.dnsNames.every((n) => sans.dns.includes(n)) && profile.ips.every((ip) => ips.has(plainIp(ip)));
}

/** One spelling per address: certificates hold addresses as bytes and give them back in another spelling than people write. */
function plainIp(ip: string): string {
  return ip.includes(':') ? new URL(`http://[${ip}]/`).hostname : ip;
}
