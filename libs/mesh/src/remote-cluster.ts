import { type CodedError, Machine } from '@isthmus/core';
import type { ClusterConfig } from './cluster-config.codec.ts';
import { Confirmation } from './confirmation.ts';
import { DropCounters } from './drop-counters.ts';
import { HEARTBEAT_KEY, recordLayout } from './keys.ts';
import { canaryKeyOf, publishesKind, sameReading } from './kind-gate.ts';
import { type KindHost, KindImporter } from './kind-importer.ts';
import { HEARTBEAT_TIMEOUT_MS, Liveness } from './liveness.ts';
import { RECORD_KINDS, type RecordKind } from './record-kind.ts';
import { ByteBudget } from './record-ledger.ts';
import { REMOTE_CLUSTER_MACHINE, type RemoteEvent, type RemoteState } from './remote-cluster.machine.ts';
import { RECORD_BYTES, RECORD_LIMITS, type RemoteClusterOptions } from './remote-cluster-options.ts';
import { checkRemoteConfig } from './remote-config-check.ts';
import { RemoteControl } from './remote-control.ts';
import { Drain } from './remote-drain.ts';
import type { ValuesByKind } from './remote-sink.ts';
import { kindStatuses, type RemoteStatus } from './remote-status.ts';
import { trouble } from './remote-trouble.ts';

/** Token of a listing that no canary guards. */
const UNGATED = 'ungated';

/**
 * Follows one remote cluster: its configuration, canaries and heartbeat, and the records that they allow to be read. Drives
 * {@link REMOTE_CLUSTER_MACHINE}: whatever happens ends in {@link #settle}, which derives the next event from what is known now.
 */
export class RemoteCluster<V extends ValuesByKind> {
  readonly cluster: string;
  readonly #options: RemoteClusterOptions<V>;
  readonly #machine = new Machine(REMOTE_CLUSTER_MACHINE);
  readonly #control: RemoteControl;
  readonly #liveness: Liveness;
  readonly #kinds: readonly KindImporter<V[RecordKind]>[];
  readonly #drops = new DropCounters();
  readonly #confirmation: Confirmation<V[RecordKind]>;
  readonly #drain: Drain;
  /** The configuration in use. Stays when a later one is refused: the records under it are still there. */
  #accepted: ClusterConfig | undefined;
  /** Text of the configuration that was checked last. */
  #checked: string | undefined;
  /** Why that one was refused. */
  #refusal: CodedError | undefined;
  #settling = false;
  #settleAgain = false;
  #unlisten: (() => void) | undefined;

  constructor(options: RemoteClusterOptions<V>) {
    this.#options = options;
    this.cluster = options.cluster;
    this.#liveness = new Liveness(options.clock, options.heartbeatTimeoutMs ?? HEARTBEAT_TIMEOUT_MS, () => this.#settle());
    this.#control = new RemoteControl(options.store, options.cluster, options.heartbeatKey ?? HEARTBEAT_KEY, {
      changed: () => this.#settle(),
      heartbeat: (value) => this.#liveness.beat(value) && options.sink.heartbeat?.(value),
    });
    this.#confirmation = new Confirmation({
      clock: options.clock,
      random: options.random,
      refresh: (kinds) => this.#control.refresh(kinds.flatMap(({ kind }) => this.#canaryKey(kind) ?? [])),
      answered: (kinds) => this.#confirm(kinds),
      settle: () => this.#settle(),
    });
    this.#drain = new Drain({ ...options, drop: () => options.sink.drained(), done: () => this.#drained() });
    const { limits, adopted } = options;
    const host = this.#host();
    this.#kinds = RECORD_KINDS.map((kind) => new KindImporter(kind, host, limits?.[kind] ?? RECORD_LIMITS[kind], adopted?.[kind] ?? []));
  }

  get state(): RemoteState {
    return this.#machine.state;
  }

  /** Begins to follow. Also after {@link remove} has ended. */
  start(): void {
    if (this.#on('start') === undefined) return;
    this.#unlisten = this.#options.ids.onRelease(() => this.#recheck());
    this.#liveness.start();
    this.#control.open();
    this.#settle();
  }

  /** The process ends: nothing is followed any more, and everything that was learned stays where it is. */
  stop(): void {
    if (this.#on('stop') !== undefined) this.#close();
  }

  /** The cluster is no longer configured: its records are dropped. The state says `removed` when that is done. */
  remove(): void {
    if (this.#on('remove') === undefined) return;
    this.#close();
    this.#drain.run();
  }

  status(): RemoteStatus {
    return {
      cluster: this.cluster,
      state: this.state,
      ready: this.state === 'ready',
      problem: this.#problem(),
      config: this.#accepted,
      heartbeatAgeMs: this.#liveness.ageMs,
      kinds: kindStatuses(this.#kinds),
      dropped: this.#drops.list(),
      store: this.#options.store.status(),
    };
  }

  #host(): KindHost<V[RecordKind]> {
    const { store, sink, values, addresses, maxBytes } = this.#options;
    return {
      store,
      sink,
      budget: new ByteBudget(maxBytes ?? RECORD_BYTES),
      read: (kind, bytes, name) => {
        const { id, maxConnectedClusters } = this.#accepted!; // importers are open only while a configuration is in use
        return values.read(kind, bytes, {
          cluster: this.cluster,
          clusterId: id,
          maxConnectedClusters,
          name,
          ...(addresses && { addresses }),
        });
      },
      dropped: (kind, name, dropped) => {
        this.#drops.add(kind, dropped.reason, name, dropped.detail);
        this.#options.onDropped?.(kind, name, dropped);
      },
      trusted: () => this.#trouble() === undefined,
      changed: () => this.#settle(),
    };
  }

  /** Steps until nothing more follows from what is known. Not re-entrant: sinks may call back. */
  #settle(): void {
    this.#settleAgain = true;
    if (this.#settling) return;
    this.#settling = true;
    try {
      while (this.#settleAgain) {
        this.#settleAgain = false;
        while (this.#step() !== undefined);
      }
    } finally {
      this.#settling = false;
    }
  }

  #on(event: RemoteEvent): RemoteEvent | undefined {
    const step = this.#machine.on(event);
    if (step === undefined) return undefined;
    this.#options.onTransition?.(step);
    return event;
  }

  /** Derives the next event, takes it, and acts on it. Undefined when there is none. */
  #step(): RemoteEvent | undefined {
    switch (this.state) {
      case 'connecting':
        return this.#control.connected ? this.#on('connected') : undefined;
      case 'fetching-config':
        if (!this.#control.connected) return this.#on('disconnected');
        return this.#control.config ? this.#on('config') : undefined;
      case 'validating':
        return this.#validate();
      case 'failed':
        if (!this.#control.config) return this.#on('config-gone');
        return this.#configChanged() ? this.#on('config') : undefined;
      case 'syncing':
      case 'ready':
      case 'degraded':
        return this.#configChanged() ? this.#on('config') : this.#import();
      default:
        return undefined;
    }
  }

  #configChanged(): boolean {
    return this.#control.config !== undefined && this.#control.config.text !== this.#checked;
  }

  #validate(): RemoteEvent | undefined {
    const seen = this.#control.config;
    if (seen === undefined) return this.#on('config-gone');
    this.#checked = seen.text;
    const { own, ids, sink, joinedId } = this.#options;
    const verdict = checkRemoteConfig(this.cluster, seen.decoded, own, ids, joinedId);
    if (!verdict.ok) return this.#refuse(verdict.problem);
    const { config } = verdict;
    if (this.#accepted !== undefined && this.#accepted.id !== config.id) return this.#changeId();
    ids.reserve(config.id, this.cluster);
    if (this.#accepted === undefined || !sameReading(this.#accepted, config)) this.#closeKinds();
    this.#accepted = config;
    this.#refusal = undefined;
    sink.accepted?.(config);
    return this.#on('accepted');
  }

  #refuse(problem: CodedError): RemoteEvent | undefined {
    this.#refusal = problem;
    this.#closeKinds();
    return this.#on('refused');
  }

  #changeId(): RemoteEvent | undefined {
    this.#closeKinds();
    const event = this.#on('id-changed');
    this.#drain.run();
    return event;
  }

  /** Keeps every kind followed and confirmed as far as what is known allows. */
  #import(): RemoteEvent | undefined {
    this.#distrust();
    if (this.#trouble() !== undefined) return this.state === 'degraded' ? undefined : this.#on('trouble');
    if (this.state === 'degraded') return this.#on('recovered');
    for (const kind of this.#kinds) if (kind.needsOpening) this.#open(kind);
    this.#confirmation.ask(this.#kinds);
    const complete = this.#kinds.every((kind) => kind.phase === 'synced');
    if (complete && this.state === 'syncing') return this.#on('synced');
    return !complete && this.state === 'ready' ? this.#on('resync') : undefined;
  }

  /** Marks what was followed without configuration or canary: it is listed anew once they are back. */
  #distrust(): void {
    for (const kind of this.#kinds) if (!this.#control.config || this.#token(kind.kind) === undefined) kind.distrust();
  }

  /** What makes the cluster less than current, the gravest first. A canary that was never there is not trouble, only waited for. */
  #trouble(): CodedError | undefined {
    if (!this.#control.connected || this.#kinds.some((kind) => kind.disconnected))
      return trouble.disconnected(this.cluster, this.#control.error);
    if (this.#control.config === undefined) return trouble.configMissing(this.cluster);
    const unmarked = this.#kinds.find((kind) => kind.phase !== 'closed' && this.#token(kind.kind) === undefined);
    if (unmarked !== undefined) return trouble.canaryMissing(this.cluster, unmarked.kind);
    return this.#liveness.stale ? trouble.stale(this.cluster, this.#liveness.ageMs) : undefined;
  }

  #canaryKey(kind: RecordKind): string | undefined {
    return this.#accepted && canaryKeyOf(this.#accepted, this.cluster, kind);
  }

  /** Identifies the canary that allows the kind to be listed now; undefined when it must be waited for. */
  #token(kind: RecordKind): string | undefined {
    const key = this.#canaryKey(kind);
    return key === undefined ? UNGATED : this.#control.canary(key);
  }

  #open(importer: KindImporter<V[RecordKind]>): void {
    const { kind } = importer;
    const token = this.#token(kind);
    const config = this.#accepted;
    if (token === undefined || config === undefined) return;
    if (publishesKind(config, kind)) importer.open(recordLayout(kind, this.cluster, config.cached), token);
    else importer.openEmpty(token);
  }

  /** The leased keys were read: what was held back may go if they stand, and are those under which it was listed. */
  #confirm(waiting: readonly KindImporter<V[RecordKind]>[]): void {
    if ((this.state !== 'syncing' && this.state !== 'ready') || this.#configChanged() || this.#trouble() !== undefined) return;
    for (const kind of waiting) {
      if (kind.token === this.#token(kind.kind)) kind.confirm();
      else kind.distrust(); // the canary was written anew since the listing began
    }
  }

  /** Another cluster gave its id back: ours may be acceptable now. */
  #recheck(): void {
    if (this.state !== 'failed') return;
    this.#checked = undefined;
    this.#settle();
  }

  #drained(): void {
    for (const kind of this.#kinds) kind.forget();
    const old = this.#accepted?.id;
    this.#accepted = undefined;
    this.#checked = undefined;
    if (old !== undefined) this.#options.ids.release(old, this.cluster);
    if (this.#on('drained') !== undefined) this.#settle();
  }

  #closeKinds(): void {
    for (const kind of this.#kinds) kind.close();
  }

  #close(): void {
    this.#unlisten?.();
    this.#confirmation.stop();
    this.#drain.stop();
    this.#liveness.stop();
    this.#control.close();
    this.#closeKinds();
  }

  #problem(): CodedError | undefined {
    switch (this.state) {
      case 'failed':
        return this.#refusal;
      case 'draining':
      case 'removing':
        return this.#drain.problem;
      case 'connecting':
      case 'fetching-config':
      case 'degraded':
        return this.#trouble();
      case 'syncing':
      case 'ready':
        return this.#waitedFor();
      default:
        return undefined;
    }
  }

  #waitedFor(): CodedError | undefined {
    const { error } = this.#confirmation;
    if (error !== undefined) return trouble.disconnected(this.cluster, error);
    const unmarked = this.#kinds.find((kind) => this.#token(kind.kind) === undefined);
    return unmarked && trouble.canaryMissing(this.cluster, unmarked.kind);
  }
}
