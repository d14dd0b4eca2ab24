import { createHash } from 'node:crypto';
import {
  byCluster,
  type Epoch,
  mayFollow,
  nextWanted,
  nodesBehind,
  type PastChange,
  presentTarget,
  type WantedEpoch,
} from '@isthmus/crypto';
import type { WireGuardTargetRow } from '@isthmus/model';

/** Everything that the schedule decides by. */
export interface ScheduleView {
  /** The cluster's target. */
  readonly own: WireGuardTargetRow | undefined;
  /** Names of the cluster's nodes. */
  readonly nodes: readonly string[];
  /** The newest epoch that each publishes a key of, by name. */
  readonly epochs: ReadonlyMap<string, Epoch>;
  /** Nodes that know of no epochs, as the cluster's nodes say. */
  readonly blockedBy: readonly string[];
  /** What other clusters want, as the cluster's nodes say. */
  readonly wanted: readonly WantedEpoch[];
  /** Past changes of the cluster's target, the newest first. */
  readonly history: readonly PastChange[];
  /** Wall time, milliseconds since 1970. */
  readonly now: number;
  /** How long the present target has been the mesh's, milliseconds. */
  readonly lastedMs: number;
}

/** When keys change. Milliseconds. */
export interface ScheduleTimes {
  /** 0: never. */
  readonly intervalMs: number;
  /** For how long agents keep a device for a node that does not come along. */
  readonly maxOverlapMs: number;
  /** Between two changes that other clusters ask for; a few may come at once. */
  readonly followMs: number;
}

/** What is to be done: write a target, wait until it is time, wait for nodes, leave keys alone because of some, or not follow others yet. */
export type ScheduleStep =
  | { readonly do: 'raise'; readonly target: Epoch; readonly by: string; readonly reason: string; readonly left: readonly string[] }
  | { readonly do: 'wait' }
  | { readonly do: 'hold'; readonly target: Epoch; readonly behind: readonly string[] }
  | { readonly do: 'leave'; readonly target: Epoch; readonly blockedBy: readonly string[] }
  | { readonly do: 'stay'; readonly target: Epoch; readonly wanted: WantedEpoch };

/** Clusters wait longer than they are told to by up to this share, so that not all of them begin at once. */
const JITTER = 0.1;
/** Agents that have waited for a node for as long as they do get to the target all at once. No other one must come between. */
const MOVING_MS = 30_000;
/** Who the operator is in a history. */
const OPERATOR = 'operator';
const SCHEDULED = { by: OPERATOR, reason: 'schedule' };

/**
 * The first target where there is none; one more when the interval is over and all nodes have come along. Those that have had the time that a node gets
 * are left behind: a node that is down must not keep everybody else at old keys. Nodes that know of no epochs do: they have nothing but the even keys
 * that there are. Of epoch 1 there are none, and none before.
 *
 * Other clusters are followed at once, by one epoch at a time and no faster than {@link mayFollow} says; whatever they want, the cluster's own interval is
 * kept, so that none of them can put it off for longer than that. They are followed also where nodes know of no epochs: clusters that part are worse.
 */
export function scheduleStep(view: ScheduleView, times: ScheduleTimes): ScheduleStep {
  const { own, epochs, blockedBy } = view;
  const target = presentTarget(own, epochs);
  // An etcd that was wiped has no target, but nodes that know one.
  if (own === undefined) return { do: 'raise', target: Math.max(1, target), by: OPERATOR, reason: 'first target', left: [] };
  if (blockedBy.length > 0 && target === 1)
    return { do: 'raise', target: 2, by: OPERATOR, reason: `even keys for ${blockedBy[0]}`, left: [] };
  const wanted = nextWanted(target, view.wanted);
  const follows = wanted !== undefined && mayFollow(view.history, view.now, times.followMs);
  const isDue = times.intervalMs > 0 && view.lastedMs >= times.intervalMs;
  if (!follows && !isDue) return wanted === undefined ? { do: 'wait' } : { do: 'stay', target, wanted };
  if (!follows && blockedBy.length > 0) return { do: 'leave', target, blockedBy };
  return raiseStep(view, times, follows ? { target, by: byCluster(wanted.cluster), reason: 'is at it' } : { target, ...SCHEDULED });
}

function raiseStep(
  { nodes, epochs, lastedMs }: ScheduleView,
  { maxOverlapMs }: ScheduleTimes,
  { target, by, reason }: { target: Epoch; by: string; reason: string },
): ScheduleStep {
  const behind = nodesBehind(nodes, epochs, target);
  if (behind.length > 0 && lastedMs < maxOverlapMs + MOVING_MS) return { do: 'hold', target, behind };
  return { do: 'raise', target: target + 1, by, reason, left: behind };
}

/** A cluster's own interval, which is always the same. Milliseconds. */
export function ownInterval(cluster: string, intervalMs: number): number {
  const share = createHash('sha256').update(cluster).digest().readUInt32BE() / 2 ** 32;
  return Math.round(intervalMs * (1 + JITTER * share));
}
