import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { etcdServerProfile } from '@isthmus/crypto';
import { type ClusterPlan, clusterFiles, type Lab, type Place, toolPath, waitUntil } from '@isthmus/lab';
import { canaryPrefix, clusterConfigKey, HEARTBEAT_KEY } from '@isthmus/mesh';
import { FileRemoteConfigStore } from '../../../apps/clustermesh-apiserver/src/join/adapters/file-remote-config-store.ts';
import { TestPki } from '../../etcd/pki.ts';

const WITH_NODE = fileURLToPath(new URL('../../../scripts/with-node', import.meta.url));
const WRITER = fileURLToPath(new URL('write-keys.ts', import.meta.url));
const PORT = 2579;
/** More than etcd's own: the peer decides what its etcd takes. */
const MAX_REQUEST_BYTES = 32 * 1024 * 1024;
const START_TIMEOUT_MS = 30_000;
const KINDS = ['nodes', 'services', 'identities', 'ip', 'serviceexports'] as const;

/** One key to write; without a value everything that begins with it is deleted. */
export interface KeyWrite {
  readonly key: string;
  readonly value?: string | undefined;
  /** Bytes, in place of a text. */
  readonly base64?: string;
}

/** What a peer said of itself when it joined, where that is not the truth. */
export interface Joined {
  readonly endpoint?: string;
  readonly caFile?: string;
}

/**
 * A cluster that consists of its mesh etcd alone, and of whoever writes into it: this test. It stands at the lab's router, and has a CA of its
 * own; the certificates on both sides are as a join leaves them.
 */
export class FakeRemote {
  readonly name: string;
  readonly id: number;
  readonly #lab: Lab;
  readonly #pki: TestPki;
  readonly #address: string;
  #beats = 0;

  private constructor(lab: Lab, name: string, id: number, pki: TestPki, address: string) {
    this.#lab = lab;
    this.name = name;
    this.id = id;
    this.#pki = pki;
    this.#address = address;
  }

  /** Starts its etcd, which is empty. */
  static async start(lab: Lab, name: string, id: number): Promise<FakeRemote> {
    const pki = await TestPki.create();
    const address = lab.plan.clusters[0]?.gateway.ipv4 ?? '';
    pki.server = await pki.issue('server', etcdServerProfile({ ips: [address] }));
    const remote = new FakeRemote(lab, name, id, pki, address);
    remote.#startEtcd();
    await waitUntil(() => remote.#answers(), { what: `the etcd of ${name}`, timeoutMs: START_TIMEOUT_MS, everyMs: 100 });
    return remote;
  }

  /** The address that it stands at. */
  get address(): string {
    return this.#address;
  }

  /** Pod networks that it joins with. */
  get podCidrs(): string[] {
    return [`10.${this.id}.0.0/16`, `fd10:${this.id}::/104`];
  }

  /** Writes into its etcd, in this order, and a sign of life at last. */
  async write(...writes: readonly KeyWrite[]): Promise<void> {
    const { status, stderr } = await this.#writer([...writes, this.#heartbeat()]);
    if (status !== 0) throw new Error(`${this.name} could not write: ${stderr}`);
  }

  /** A configuration, its own unless something else is given. */
  config(patch: { id?: number; maxConnectedClusters?: number } = {}): KeyWrite {
    const { id = this.id, maxConnectedClusters = 255 } = patch;
    const capabilities = { syncedCanaries: true, maxConnectedClusters, serviceExportsEnabled: true };
    return { key: clusterConfigKey(this.name), value: JSON.stringify({ id, capabilities }) };
  }

  /** The marks that every kind is complete. */
  canaries(): KeyWrite[] {
    return KINDS.map((kind) => ({ key: `${canaryPrefix(this.name)}cilium/state/${kind}/v1`, value: '2026-01-01T00:00:00Z' }));
  }

  /** A cluster of the lab takes it on, as at the end of a join. */
  async joinTo(cluster: ClusterPlan, { endpoint, caFile }: Joined = {}): Promise<void> {
    const client = await this.#pki.client(`remote-${cluster.name}`);
    const [certPem, keyPem, caBundle] = await Promise.all(
      [client.certFile, client.keyFile, caFile ?? this.#pki.caFile].map((file) => readFile(file, 'utf8')),
    );
    await this.#remotesOf(cluster).write(
      {
        name: this.name,
        id: this.id,
        maxConnectedClusters: 255,
        podCIDRs: this.podCidrs,
        caBundle: caBundle ?? '',
        endpoints: [endpoint ?? this.#endpoint],
      },
      { certPem: certPem ?? '', keyPem: keyPem ?? '' },
    );
  }

  /** A cluster of the lab parts from it. */
  async leave(cluster: ClusterPlan): Promise<void> {
    await this.#remotesOf(cluster).remove(this.name);
  }

  /** Ends its etcd and removes what it has on disk. */
  async close(): Promise<void> {
    await this.#lab.processes.stop(this.#processId, 'SIGKILL');
    await rm(this.#data, { recursive: true, force: true });
    await this.#pki.remove();
  }

  get #processId(): string {
    return `${this.name}/mesh-etcd`;
  }

  get #endpoint(): string {
    return `https://${this.#address}:${PORT}`;
  }

  get #data(): string {
    return join(this.#lab.plan.paths.data, this.name);
  }

  get #place(): Place {
    return this.#lab.plan.router;
  }

  /** Another one each time. */
  #heartbeat(): KeyWrite {
    return { key: HEARTBEAT_KEY, value: `2026-01-01T00:00:${String(this.#beats++ % 60).padStart(2, '0')}Z` };
  }

  #remotesOf(cluster: ClusterPlan): FileRemoteConfigStore {
    return new FileRemoteConfigStore(clusterFiles(cluster).clustermesh);
  }

  #startEtcd(): void {
    const peer = `http://127.0.0.1:${PORT + 1}`;
    const flags = {
      name: this.name,
      'data-dir': this.#data,
      'listen-client-urls': this.#endpoint,
      'advertise-client-urls': this.#endpoint,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': `${this.name}=${peer}`,
      'trusted-ca-file': this.#pki.caFile,
      'cert-file': this.#pki.server.certFile,
      'key-file': this.#pki.server.keyFile,
      'max-request-bytes': String(MAX_REQUEST_BYTES),
      'log-level': 'warn',
    };
    const argv = [toolPath('etcd'), '--client-cert-auth', ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])];
    this.#lab.processes.start({ id: this.#processId, place: this.#place, argv });
  }

  async #answers(): Promise<boolean> {
    return (await this.#writer([this.#heartbeat()])).status === 0;
  }

  async #writer(writes: readonly KeyWrite[]) {
    const { certFile, keyFile } = await this.#pki.client('root');
    const config = { endpoints: [this.#endpoint], trustedCaFile: this.#pki.caFile, certFile, keyFile };
    const argv = [WITH_NODE, '--conditions=isthmus:source', WRITER];
    return this.#lab.exec(this.#place, argv, { input: JSON.stringify({ config, writes }), timeoutMs: START_TIMEOUT_MS });
  }
}
