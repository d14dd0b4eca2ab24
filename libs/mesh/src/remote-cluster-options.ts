import type { Clock, Random } from '@isthmus/core';
import type { ClusterIds } from './cluster-ids.ts';
import type { AddressRules } from './cluster-networks.ts';
import type { Dropped } from './decode-result.ts';
import type { RecordKind } from './record-kind.ts';
import type { RemoteEvent, RemoteState } from './remote-cluster.machine.ts';
import type { OwnCluster } from './remote-config-check.ts';
import type { RemoteSink, ValuesByKind } from './remote-sink.ts';
import type { RemoteStore } from './remote-store.ts';
import type { ValueMode } from './remote-values.ts';

/** Records of each kind that one cluster may publish. More are dropped as `too-many`: a broken peer must not exhaust our memory. */
export const RECORD_LIMITS: Readonly<Record<RecordKind, number>> = {
  nodes: 65_536,
  identities: 65_536,
  ips: 2_000_000,
  services: 131_072,
  serviceexports: 131_072,
  wireguard: 65_536,
  // There is one: the rest is room for what later versions may put beside it.
  wireguardtargets: 16,
};

/** Bytes that the records of one cluster may have together, keys included. More are dropped as `too-much`: they would fill our own mesh etcd. */
export const RECORD_BYTES = 256 * 1024 * 1024;

/** What a remote cluster is made of. */
export interface RemoteClusterOptions<V extends ValuesByKind> {
  /** The name under which it is configured here. */
  cluster: string;
  own: OwnCluster;
  store: RemoteStore;
  sink: RemoteSink<V>;
  values: ValueMode<V>;
  /** Shared by all remote clusters of the process. */
  ids: ClusterIds;
  clock: Clock;
  random: Random;
  /** The id that the cluster joined with: with another one it is refused. Unless given it may have any that is free. */
  joinedId?: number;
  /** Which addresses it may publish; any unless given. */
  addresses?: AddressRules;
  /** The key whose changes are a sign of life; the store's own heartbeat unless given. */
  heartbeatKey?: string;
  /** Milliseconds without a change of the heartbeat after which the cluster is stale; 120,000 unless given. */
  heartbeatTimeoutMs?: number;
  /** See {@link RECORD_LIMITS}, which holds for kinds not given. */
  limits?: Partial<Record<RecordKind, number>>;
  /** See {@link RECORD_BYTES}, which holds unless given. */
  maxBytes?: number;
  /** Names of records that the sink has already, from before this process: those that the first listing lacks are deleted after it. */
  adopted?: Partial<Record<RecordKind, Iterable<string>>>;
  /** Hears of every step, for logs and metrics. */
  onTransition?(step: { from: RemoteState; event: RemoteEvent; to: RemoteState }): void;
  /** Hears of every dropped record. Limit the rate of what is logged: a peer decides how often it is called. */
  onDropped?(kind: RecordKind, name: string, dropped: Dropped): void;
}
