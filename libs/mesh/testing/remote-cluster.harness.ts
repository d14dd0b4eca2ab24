import { ManualClock, seededRandom } from '@isthmus/core';
import {
  type ClusterConfig,
  ClusterIds,
  canaryKeyOf,
  clusterConfigKey,
  decodedRows,
  encodeClusterConfig,
  encodeIp,
  HEARTBEAT_KEY,
  identityKey,
  ipKey,
  nodeKey,
  RECORD_KINDS,
  type RecordChange,
  type RecordKind,
  type RecordRows,
  RemoteCluster,
  type RemoteClusterOptions,
  type RemoteSink,
  serviceKey,
  type ValuesByKind,
} from '../src/index.ts';
import { FakeRemoteStore } from './fake-remote-store.ts';
import { GOLDEN } from './golden.ts';

/** Lets everything that is due happen: deliveries, reads and what follows from them. */
export async function flush(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

/** Remembers what a remote cluster brought. */
export class RecordingSink implements RemoteSink<RecordRows & ValuesByKind> {
  readonly rows: Record<RecordKind, Map<string, unknown>> = {
    nodes: new Map(),
    identities: new Map(),
    ips: new Map(),
    services: new Map(),
    serviceexports: new Map(),
    wireguard: new Map(),
    wireguardtargets: new Map(),
  };
  /** Every call, as text. */
  readonly log: string[] = [];
  drains = 0;
  /** Runs before each deletion is taken. */
  onDelete: (kind: RecordKind, name: string) => void = () => {};
  /** Runs in place of a successful drain. */
  onDrain: () => void | Promise<void> = () => {};

  apply<K extends RecordKind>(kind: K, changes: readonly RecordChange<RecordRows[K]>[]): void {
    for (const { name, value } of changes) {
      this.log.push(`${value === undefined ? 'delete' : 'put'} ${kind} ${name}`);
      if (value === undefined) {
        this.onDelete(kind, name);
        this.rows[kind].delete(name);
      } else this.rows[kind].set(name, value);
    }
  }

  synced(kind: RecordKind): void {
    this.log.push(`synced ${kind}`);
  }

  async drained(): Promise<void> {
    this.log.push('drained');
    await this.onDrain();
    this.drains++;
    for (const rows of Object.values(this.rows)) rows.clear();
  }

  accepted(config: ClusterConfig): void {
    this.log.push(`accepted ${config.id}`);
  }

  heartbeat(value: string): void {
    this.log.push(`heartbeat ${value}`);
  }

  names(kind: RecordKind): string[] {
    return [...this.rows[kind].keys()].sort();
  }
}

/** The configuration that the golden records are published under. */
export const CONFIG: ClusterConfig = {
  id: 3,
  syncedCanaries: true,
  cached: false,
  maxConnectedClusters: 255,
  serviceExportsEnabled: undefined,
  endpointSlicesExportMode: '',
  tunnelProtocol: '',
  wireguard: false,
};

/** A remote cluster `cluster3` in a store of its own, followed by a cluster `own` with id 1. */
export class RemoteHarness {
  readonly store = new FakeRemoteStore();
  readonly sink = new RecordingSink();
  readonly clock = new ManualClock();
  readonly ids: ClusterIds;
  readonly steps: string[] = [];
  readonly remote: RemoteCluster<RecordRows & ValuesByKind>;
  #beats = 0;
  #canaries = 0;

  constructor(options: Partial<RemoteClusterOptions<RecordRows & ValuesByKind>> = {}) {
    this.ids = options.ids ?? new ClusterIds();
    this.remote = new RemoteCluster({
      cluster: 'cluster3',
      own: { name: 'own', id: 1, maxConnectedClusters: 255, tunnelProtocol: 'vxlan' },
      store: this.store,
      sink: this.sink,
      values: decodedRows,
      ids: this.ids,
      clock: this.clock,
      random: seededRandom(1),
      onTransition: (step) => this.steps.push(`${step.from} ${step.event} ${step.to}`),
      ...options,
    });
  }

  get state(): string {
    return this.remote.state;
  }

  get problem(): string | undefined {
    return this.remote.status().problem?.code;
  }

  /** What an exporter does when it starts: records, configuration, canaries, heartbeat. Then the remote is followed until it is ready. */
  async ready(): Promise<this> {
    this.putRecords();
    this.putConfig();
    this.putCanaries();
    this.beat();
    this.remote.start();
    await flush();
    return this;
  }

  /** Two of each kind but service exports. */
  putRecords(): void {
    this.putNode('worker-1');
    this.putNode('worker-2');
    this.store.put(identityKey(196915), GOLDEN.identity);
    this.store.put(identityKey(196916), GOLDEN.identity);
    this.putIp('10.244.1.1');
    this.putIp('10.244.1.2');
    this.store.put(serviceKey('cluster3', 'default', 'echo'), GOLDEN.service);
    this.store.put(serviceKey('cluster3', 'default', 'echo2'), GOLDEN.service.replace('"echo"', '"echo2"'));
  }

  putNode(name: string): void {
    this.store.put(nodeKey('cluster3', name), GOLDEN.nodeFull.replace('worker-1', name));
  }

  putIp(ip: string, identity = 196915): void {
    const names = { namespace: 'n', podName: 'p', podUid: '', serviceAccount: '', namedPorts: [] };
    this.store.put(ipKey(ip), encodeIp({ ip, hostIp: '172.18.0.3', identity, encryptionKey: 0, ...names }));
  }

  putConfig(patch: Partial<ClusterConfig> = {}): void {
    this.store.put(clusterConfigKey('cluster3'), encodeClusterConfig({ ...CONFIG, ...patch }));
  }

  expireConfig(): void {
    this.store.delete(clusterConfigKey('cluster3'));
  }

  canaryKeys(config: ClusterConfig = CONFIG): string[] {
    return RECORD_KINDS.flatMap((kind) => canaryKeyOf(config, 'cluster3', kind) ?? []);
  }

  putCanaries(config: ClusterConfig = CONFIG): void {
    for (const key of this.canaryKeys(config)) this.store.put(key, `2026-01-01T00:00:00Z${++this.#canaries}`);
  }

  expireCanaries(): void {
    this.store.delete(...this.canaryKeys());
  }

  beat(): void {
    this.store.put(HEARTBEAT_KEY, `beat ${++this.#beats}`);
  }

  /** The time passes in which heartbeats are missed. */
  async missHeartbeats(): Promise<void> {
    this.clock.advance(120_000);
    await flush();
  }
}
