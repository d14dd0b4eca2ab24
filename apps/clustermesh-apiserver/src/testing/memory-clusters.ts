import { randomUUID } from 'node:crypto';
import { ManualClock, Notifier, seededRandom } from '@isthmus/core';
import { KvResources, type KvStore, type KvTxn, type KvTxnResult, MemoryKvServer } from '@isthmus/kvstore';
import type { ResourceStore } from '@isthmus/model';
import { Apiserver, type ApiserverOptions } from '../apiserver.ts';
import type { Log } from '../log.ts';
import type { RemoteConfig, RemoteConfigSource } from '../mirror/remote-config.ts';
import { EtcdUserBook } from '../users/etcd-user-book.ts';

/** Turns of the loop after which a condition is given up. */
const MAX_TURNS = 5_000;

/** Configured clusters that a test sets. */
export class MemoryRemoteConfigs implements RemoteConfigSource {
  readonly #changed = new Notifier();
  #configs: readonly RemoteConfig[] = [];

  set(...configs: readonly RemoteConfig[]): void {
    this.#configs = configs;
    this.#changed.notify();
  }

  async watch(onSet: (configs: readonly RemoteConfig[]) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      onSet(this.#configs);
      await this.#changed.wait(signal).catch(() => undefined);
    }
  }
}

/** One cluster with both its etcds in memory, and an apiserver that can be started and stopped. */
export class MemoryCluster {
  readonly name: string;
  readonly id: number;
  readonly clock: ManualClock;
  readonly cluster: MemoryKvServer;
  readonly mesh: MemoryKvServer;
  readonly resources: ResourceStore;
  readonly configs = new MemoryRemoteConfigs();
  /** Log lines, as `<level> <message>`. */
  readonly lines: string[] = [];
  readonly #peers = new Map<string, MemoryCluster>();
  #running: { apiserver: Apiserver; stop: AbortController; done: Promise<void> } | undefined;

  constructor(name: string, id: number, clock: ManualClock) {
    this.name = name;
    this.id = id;
    this.clock = clock;
    this.cluster = new MemoryKvServer({ clock, random: seededRandom(id) });
    this.mesh = new MemoryKvServer({ clock, random: seededRandom(id) });
    this.resources = new KvResources({ kv: this.cluster.connect(), clock, random: seededRandom(id), newUid: randomUUID });
  }

  get apiserver(): Apiserver {
    return this.#running!.apiserver;
  }

  /** Starts an apiserver, as a new process does. */
  start(options: Partial<ApiserverOptions> = {}): void {
    const stop = new AbortController();
    const apiserver = new Apiserver({ ...this.#options(), ...options });
    this.#running = { apiserver, stop, done: apiserver.run(stop.signal) };
  }

  async stop(): Promise<void> {
    this.#running?.stop.abort(new Error('the test stops it'));
    await this.#running?.done;
    this.#running = undefined;
  }

  /** Configures these clusters, and only these, as remotes, as somebody does by hand. */
  connectTo(...peers: readonly MemoryCluster[]): void {
    this.#configure(peers, ({ name, id }) => ({ digest: `${name}/${id}`, id: 0, podCidrs: [], caBundle: '' }));
  }

  /** The same, as joins leave it: with the ids and pod networks that they have now. */
  joinWith(...peers: readonly MemoryCluster[]): void {
    this.#configure(peers, ({ name, id }) => ({
      digest: `${name}/${id} joined`,
      id,
      podCidrs: [`10.${id}.0.0/16`],
      caBundle: `CA of ${name}`,
    }));
  }

  #configure(
    peers: readonly MemoryCluster[],
    facts: (peer: MemoryCluster) => Pick<RemoteConfig, 'digest' | 'id' | 'podCidrs' | 'caBundle'>,
  ): void {
    for (const peer of peers) this.#peers.set(peer.name, peer);
    this.configs.set(...peers.map((peer) => ({ name: peer.name, ...facts(peer), etcd: { endpoints: [`memory://${peer.name}`] } })));
  }

  #options(): ApiserverOptions {
    const { name, clock } = this;
    const clusterKv = this.cluster.connect({ user: 'apiserver' });
    const meshKv = this.mesh.connect({ user: `admin-${name}` });
    const users = new EtcdUserBook({
      cluster: name,
      mesh: meshKv.auth,
      clusterEtcd: this.cluster.connect().auth,
      bgpSecretsNamespace: 'kube-system',
    });
    return {
      own: { cluster: name, clusterId: this.id, maxConnectedClusters: 255, tunnelProtocol: 'vxlan' },
      globalByDefault: true,
      leaseSeconds: 900,
      heartbeatMs: 60_000,
      remotesTimeoutMs: 60_000,
      remoteMaxBytes: 1024 * 1024,
      podCidrs: [`10.${this.id}.0.0/16`],
      clusterKv,
      resources: new KvResources({ kv: clusterKv, clock, random: seededRandom(1), newUid: randomUUID }),
      meshKv,
      setUpMeshUsers: () => users.setUpMesh([...this.#peers.keys()]),
      setUpClusterUsers: (nodes) => users.setUpClusterEtcd(nodes),
      configs: this.configs,
      connect: ({ name: peer }) => this.#peers.get(peer)!.mesh.connect({ user: `remote-${name}` }),
      clock,
      random: seededRandom(this.id),
      yieldToLoop: turn,
      log: this.#log(),
      onWriteFailures: () => undefined,
    };
  }

  #log(): Log {
    const line = (level: string) => (_fields: unknown, message?: string) => void this.lines.push(`${level} ${message}`);
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') } as unknown as Log;
  }
}

/** A store whose transactions on keys under a prefix wait for `before`, and fail as it does. */
export function intercepted(kv: KvStore, prefix: string, before: (txn: KvTxn) => Promise<void>): KvStore {
  const touches = (txn: KvTxn): boolean => txn.success.some((op) => 'key' in op && op.key.startsWith(prefix));
  const txn = async (each: KvTxn): Promise<KvTxnResult> => {
    if (touches(each)) await before(each);
    return kv.txn(each);
  };
  return new Proxy(kv, {
    get: (target, name) => {
      if (name === 'txn') return txn;
      const member = target[name as keyof KvStore] as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

/** Every key of a server under a prefix, with its text. */
export function keysOf(server: MemoryKvServer, prefix = ''): Record<string, string> {
  return Object.fromEntries(server.history.range(prefix).map(({ key, value }) => [key, Buffer.from(value).toString()]));
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Turns the loop until the condition holds. @throws Error with `what` when it never does */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < MAX_TURNS; i++) {
    if (holds()) return;
    await turn();
  }
  throw new Error(`never came true: ${what}`);
}

/** As {@link eventually}, with time going on meanwhile. */
export async function inTime(what: string, clock: ManualClock, holds: () => boolean, stepMs = 250): Promise<void> {
  for (let i = 0; i < MAX_TURNS && !holds(); i++) {
    clock.advance(i % 10 === 9 ? stepMs : 0);
    await turn();
  }
  if (!holds()) throw new Error(`never came true: ${what}`);
}

/** Lets everything that is under way come to rest. */
export async function rest(): Promise<void> {
  for (let i = 0; i < 200; i++) await turn();
}
