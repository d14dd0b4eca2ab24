import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CodedError, systemClock, systemRandom } from '@isthmus/core';
import { type ClusterPkiPaths, clusterPki, JoinClient } from '@isthmus/crypto';
import type { EtcdKvStore } from '@isthmus/kvstore';
import { parseConfig } from '@isthmus/model';
import { stringify } from 'yaml';
import { ApiserverProcess } from '../../apps/clustermesh-apiserver/src/apiserver-process.ts';
import type { Log } from '../../apps/clustermesh-apiserver/src/log.ts';
import { apiserverSettings } from '../../apps/clustermesh-apiserver/src/settings.ts';
import { EtcdProcess } from './etcd-process.ts';
import type { CertificateFiles } from './pki.ts';

/** One cluster's control plane as it is deployed: certificates, two etcds with TLS and users, an apiserver in this process. */
export class MeshCluster {
  readonly name: string;
  readonly folder: string;
  readonly pki: ClusterPkiPaths;
  readonly etcd: EtcdProcess;
  readonly meshEtcd: EtcdProcess;
  /** Both etcds as root. */
  readonly stores: { cluster: EtcdKvStore; mesh: EtcdKvStore };
  /** Log lines of warnings and errors, for when a test fails. */
  readonly lines: string[] = [];
  readonly #id: number;
  #apiserver: ApiserverProcess | undefined;

  private constructor(name: string, id: number, parts: Pick<MeshCluster, 'folder' | 'pki' | 'etcd' | 'meshEtcd' | 'stores'>) {
    this.name = name;
    this.#id = id;
    this.folder = parts.folder;
    this.pki = parts.pki;
    this.etcd = parts.etcd;
    this.meshEtcd = parts.meshEtcd;
    this.stores = parts.stores;
  }

  /** Makes certificates and starts both etcds; the apiserver is started apart. */
  static async create(name: string, id: number): Promise<MeshCluster> {
    const folder = await mkdtemp(join(tmpdir(), `isthmus-${name}-`));
    const pki = await clusterPki(join(folder, 'pki'), { cluster: name, controlPlaneIps: ['127.0.0.1'] });
    const clients: Record<string, CertificateFiles> = { root: files(pki.clients.root), [`admin-${name}`]: files(pki.clients.admin) };
    const start = (server: CertificateFiles): Promise<EtcdProcess> =>
      EtcdProcess.start({ pki: { caFile: pki.ca.cert, server, client: async (user) => clients[user]! } });
    const [etcd, meshEtcd] = await Promise.all([start(files(pki.clusterEtcd)), start(files(pki.meshEtcd))]);
    const stores = { cluster: await etcd.connect('root'), mesh: await meshEtcd.connect(`admin-${name}`) };
    return new MeshCluster(name, id, { folder, pki, etcd, meshEtcd, stores });
  }

  get apiserver(): ApiserverProcess {
    return this.#apiserver!;
  }

  /** Starts an apiserver and waits until its join API is open. */
  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const { config } = parseConfig({ ...(await this.#settings()), ...settings });
    const line = (level: string) => (fields: object, message?: string) =>
      void this.lines.push(`${this.name} ${level} ${message} ${JSON.stringify(fields)}`);
    const log = { debug: () => undefined, info: () => undefined, warn: line('warn'), error: line('error') } as unknown as Log;
    this.#apiserver = new ApiserverProcess({ settings: apiserverSettings(config), clock: systemClock, random: systemRandom, log });
    await this.#apiserver.onApplicationBootstrap();
  }

  async stop(): Promise<void> {
    await this.#apiserver?.beforeApplicationShutdown();
    this.#apiserver = undefined;
  }

  /** The join API as the admin. */
  async joinApi(): Promise<JoinClient> {
    const { cert, key } = this.pki.clients.admin;
    const [caBundle, certPem, keyPem] = await Promise.all([this.pki.ca.cert, cert, key].map((path) => readFile(path, 'utf8')));
    return new JoinClient({
      endpoint: this.apiserver.joinUrl!,
      trust: { caBundle: caBundle! },
      credential: { certPem: certPem!, keyPem: keyPem! },
    });
  }

  /** Ends and removes everything. */
  async close(): Promise<void> {
    await this.stop();
    await Promise.all([this.etcd.close(), this.meshEtcd.close()]);
    await rm(this.folder, { recursive: true, force: true });
  }

  async #settings(): Promise<Record<string, string>> {
    const { apiserver, admin } = this.pki.clients;
    return {
      'cluster-name': this.name,
      'cluster-id': String(this.#id),
      'etcd-config': await this.#etcdFile('etcd.yaml', this.etcd.endpoint, apiserver),
      'mesh-etcd-config': await this.#etcdFile('mesh-etcd.yaml', this.meshEtcd.endpoint, admin),
      'clustermesh-config': join(this.folder, 'clustermesh'),
      'state-dir': join(this.folder, 'state'),
      'pki-dir': join(this.folder, 'pki'),
      'mesh-etcd-endpoints': this.meshEtcd.endpoint,
      'cluster-etcd-endpoints': this.etcd.endpoint,
      'cluster-pool-ipv4-cidr': `10.${this.#id}.0.0/16`,
      'cluster-pool-ipv6-cidr': `fd00:${this.#id}::/104`,
      'join-api-address': '127.0.0.1:0',
      'prometheus-serve-addr': '127.0.0.1:0',
    };
  }

  async #etcdFile(name: string, endpoint: string, client: { cert: string; key: string }): Promise<string> {
    const path = join(this.folder, name);
    const config = { endpoints: [endpoint], 'trusted-ca-file': this.pki.ca.cert, 'cert-file': client.cert, 'key-file': client.key };
    await writeFile(path, stringify(config));
    return path;
  }
}

/** Every key of a store under a prefix, with its text. */
export async function keysOf(store: EtcdKvStore, prefix: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { entries } of store.list(prefix)) for (const { key, value } of entries) found[key] = Buffer.from(value).toString();
  return found;
}

/** Asks again and again until the answer is yes. @throws Error with `what` after 20 s */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  let last: CodedError | undefined;
  while (performance.now() < deadline) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error as CodedError;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`never came true: ${what}`, { cause: last });
}

function files({ cert, key }: { cert: string; key: string }): CertificateFiles {
  return { certFile: cert, keyFile: key };
}
