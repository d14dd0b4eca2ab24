import { type Clock, delay, LOG, type Log } from '@isthmus/core';
import { type BgpNodePeerStatus, CILIUM_BGP_NODE_CONFIG, type CiliumBGPNodeConfig, type ResourceStore } from '@isthmus/model';
import type { BgpPeerView } from './bgp-view.ts';

/** What is written at most so often, in milliseconds: many nodes write into one etcd. */
const INTERVAL_MS = 5_000;
/** Times of establishment that differ by less are the same: they are reckoned from durations. */
const SAME_TIME_MS = 2_000;
const RECONCILE_ERROR = 'cilium.io/BGPReconcileError';

type Status = NonNullable<CiliumBGPNodeConfig['status']>;
type Conditions = NonNullable<Status['conditions']>;

/** What the reporter works with. */
export interface NodeConfigStatusOptions {
  readonly resources: Pick<ResourceStore, 'update'>;
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether all that is configured is known: before, what seems to be amiss may be what is not read yet. */
  readonly isKnown: () => boolean;
  /** All sessions, refused ones too. */
  readonly peers: () => readonly BgpPeerView[];
  /** Rows that the speakers do not take, as texts. */
  readonly failures: () => readonly string[];
}

/** Writes how the node's sessions are into its CiliumBGPNodeConfig, where `isthmus get cbgpnode` and others look. */
export class NodeConfigStatus {
  readonly #options: NodeConfigStatusOptions;
  /** When each session was established, wall time in milliseconds. */
  readonly #established = new Map<string, number>();
  #written = '';

  constructor(options: NodeConfigStatusOptions) {
    this.#options = options;
  }

  /** Writes every few seconds what changed since, until the signal aborts. What fails is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      await this.report().catch((error: unknown) => {
        if (!signal.aborted) log.debug({ [LOG.error]: error }, 'the status of BGP cannot be written yet');
      });
      await delay(clock, INTERVAL_MS, signal).catch(() => undefined); // rejects only by abort
    }
  }

  /** Writes what is true now, if that is known and not what was written last. An object that is not there is not made. */
  async report(): Promise<void> {
    if (!this.#options.isKnown()) return;
    const bgpInstances = this.#instances();
    const failures = this.#options.failures();
    const text = JSON.stringify([bgpInstances, failures]);
    if (text === this.#written) return;
    const { resources, node, clock } = this.#options;
    const written = await resources.update<CiliumBGPNodeConfig>(CILIUM_BGP_NODE_CONFIG, node, undefined, (current) => {
      if (current === undefined) return undefined;
      const conditions = withReconcileError(current.status?.conditions ?? [], failures, clock);
      return { ...current, status: { ...current.status, bgpInstances, ...(conditions.length > 0 && { conditions }) } };
    });
    if (written !== undefined) this.#written = text;
  }

  #instances(): NonNullable<Status['bgpInstances']> {
    const byInstance = Map.groupBy(this.#options.peers(), ({ instance }) => instance);
    return [...byInstance].map(([name, peers]) => {
      return { name, localASN: peers[0]!.localAsn, peers: peers.filter(({ peer }) => peer !== '').map((peer) => this.#peer(peer)) };
    });
  }

  #peer(view: BgpPeerView): BgpNodePeerStatus {
    const { instance, peer, address, peerAsn, state, holdTimeSeconds, keepaliveSeconds, routes } = view;
    const established = this.#establishedAt(`${instance}/${peer}`, view.uptimeSeconds);
    return {
      name: peer,
      peerAddress: address,
      peerASN: peerAsn,
      peeringState: state,
      ...(holdTimeSeconds !== undefined && {
        timers: {
          appliedHoldTimeSeconds: holdTimeSeconds,
          ...(keepaliveSeconds !== undefined && { appliedKeepaliveSeconds: keepaliveSeconds }),
        },
      }),
      ...(established !== undefined && { establishedTime: rfc3339(established) }),
      routeCount: routes.map(({ family, received, advertised }) => ({ afi: family, safi: 'unicast', received, advertised })),
    };
  }

  #establishedAt(key: string, uptimeSeconds: number | undefined): number | undefined {
    if (uptimeSeconds === undefined) {
      this.#established.delete(key);
      return undefined;
    }
    const at = this.#options.clock.wall() - uptimeSeconds * 1000;
    const known = this.#established.get(key);
    if (known !== undefined && Math.abs(known - at) < SAME_TIME_MS) return known;
    this.#established.set(key, at);
    return at;
  }
}

/** The conditions with the one that says that not all could be done; it is not made where there was never anything amiss. */
function withReconcileError(conditions: Conditions, failures: readonly string[], clock: Pick<Clock, 'wall'>): Conditions {
  const before = conditions.find(({ type }) => type === RECONCILE_ERROR);
  const status = failures.length > 0 ? 'True' : 'False';
  const message = failures.join('; ');
  if (before === undefined && failures.length === 0) return conditions;
  if (before?.status === status && before.message === message) return conditions;
  const since = before?.status === status ? before.lastTransitionTime : undefined;
  const condition = { type: RECONCILE_ERROR, status, reason: failures.length > 0 ? 'BGPReconcileError' : 'NotBGPReconcileError', message };
  return [
    ...conditions.filter(({ type }) => type !== RECONCILE_ERROR),
    { ...condition, lastTransitionTime: since ?? rfc3339(clock.wall()) },
  ] as Conditions;
}

/** UTC, whole seconds. */
function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
