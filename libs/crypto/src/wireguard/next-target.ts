import { CodedError } from '@isthmus/core';
import type { WireGuardTargetRow } from '@isthmus/model';
import type { Epoch } from './epoch.ts';
import type { WantedEpoch } from './mesh-target.ts';
import {
  WIREGUARD_LEFT_BEHIND,
  WIREGUARD_ROTATION_BLOCKED,
  WIREGUARD_ROTATION_LIMITED,
  WIREGUARD_ROTATION_WAITS,
} from './wireguard.errors.ts';

/** How many nodes a message names. */
const NAMED = 5;

/** The target of the mesh, as far as a cluster alone can tell: its own, or what other clusters have brought its nodes to. 0: there is none. */
export function presentTarget(own: WireGuardTargetRow | undefined, epochs: ReadonlyMap<string, Epoch>): Epoch {
  return Math.max(own?.target ?? 0, ...epochs.values());
}

/** Those of some nodes that have no key of a target yet. Sorted. */
export function nodesBehind(nodes: Iterable<string>, epochs: ReadonlyMap<string, Epoch>, target: Epoch): string[] {
  return [...nodes].filter((node) => (epochs.get(node) ?? 0) < target).sort();
}

/** A target that somebody asks for now. @param now wall time, milliseconds since 1970 */
export function newTarget(
  cluster: Pick<WireGuardTargetRow, 'cluster' | 'clusterId'>,
  change: Pick<WireGuardTargetRow, 'target' | 'by' | 'reason'>,
  now: number,
): WireGuardTargetRow {
  const { target, by, reason } = change;
  return {
    cluster: cluster.cluster,
    clusterId: cluster.clusterId,
    target,
    startedAt: `${new Date(now).toISOString().slice(0, 19)}Z`,
    by,
    reason,
  };
}

/** Why the target stays as it is: these have not reached it. Names nobody when it is not known who they are. */
export function rotationWaits(target: Epoch, behind: readonly string[]): CodedError {
  return new CodedError(WIREGUARD_ROTATION_WAITS, notAt(target, behind), { object: `epoch ${target}` });
}

/** Who has not reached a target, and is not waited for any longer. */
export function leftBehind(target: Epoch, behind: readonly string[]): CodedError {
  return new CodedError(WIREGUARD_LEFT_BEHIND, notAt(target, behind), { object: `epoch ${target}` });
}

/** Why the target stays as it is: it has just been changed for other clusters, more often than they may ask for. */
export function rotationStays(target: Epoch, { epoch, cluster }: WantedEpoch): CodedError {
  return new CodedError(WIREGUARD_ROTATION_LIMITED, `cluster ${cluster} wants epoch ${epoch} already`, { object: `epoch ${target}` });
}

/** Why the target stays as it is: these know of no epochs. */
export function rotationBlocked(target: Epoch, by: readonly string[]): CodedError {
  return new CodedError(WIREGUARD_ROTATION_BLOCKED, `rotation blocked by ${named(by)}`, { object: `epoch ${target}` });
}

function notAt(target: Epoch, behind: readonly string[]): string {
  return `${behind.length === 0 ? 'some nodes' : named(behind)}: not at epoch ${target} yet`;
}

function named(nodes: readonly string[]): string {
  const more = nodes.length > NAMED ? ` and ${nodes.length - NAMED} more` : '';
  return nodes.slice(0, NAMED).join(', ') + more;
}
