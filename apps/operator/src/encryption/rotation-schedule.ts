import { createHash } from 'node:crypto';
import { type Epoch, nodesBehind, presentTarget } from '@isthmus/crypto';
import type { WireGuardTargetRow } from '@isthmus/model';

/** Everything that the schedule decides by. */
export interface ScheduleView {
  /** The cluster's target. */
  readonly own: WireGuardTargetRow | undefined;
  /** Names of the cluster's nodes. */
  readonly nodes: readonly string[];
  /** The newest epoch that each publishes a key of, by name. */
  readonly epochs: ReadonlyMap<string, Epoch>;
  /** How long the present target has been the mesh's, milliseconds. */
  readonly lastedMs: number;
}

/** What is to be done: write a target, wait until it is time, or wait for nodes. */
export type ScheduleStep =
  | { readonly do: 'raise'; readonly target: Epoch; readonly reason: string }
  | { readonly do: 'wait' }
  | { readonly do: 'hold'; readonly target: Epoch; readonly behind: readonly string[] };

/** Clusters wait longer than they are told to by up to this share, so that not all of them begin at once. */
const JITTER = 0.1;

/** The first target where there is none; one more when the interval is over and all nodes have come along. @param intervalMs 0: never */
export function scheduleStep({ own, nodes, epochs, lastedMs }: ScheduleView, intervalMs: number): ScheduleStep {
  const target = presentTarget(own, epochs);
  // An etcd that was wiped has no target, but nodes that know one.
  if (own === undefined) return { do: 'raise', target: Math.max(1, target), reason: 'first target' };
  if (intervalMs === 0 || lastedMs < intervalMs) return { do: 'wait' };
  const behind = nodesBehind(nodes, epochs, target);
  return behind.length > 0 ? { do: 'hold', target, behind } : { do: 'raise', target: target + 1, reason: 'schedule' };
}

/** A cluster's own interval, which is always the same. Milliseconds. */
export function ownInterval(cluster: string, intervalMs: number): number {
  const share = createHash('sha256').update(cluster).digest().readUInt32BE() / 2 ** 32;
  return Math.round(intervalMs * (1 + JITTER * share));
}
