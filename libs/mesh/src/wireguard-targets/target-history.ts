import type { WireGuardTargetRow } from '@isthmus/model';
import { rejecting } from '../decode-result.ts';
import { asObject, readJson, readRequired, readString, readUint } from '../json-reader.ts';

/** A change of a cluster's target. */
export interface TargetChange {
  /** RFC 3339 */
  readonly at: string;
  /** The user of the etcd who asked for it; empty when nothing was said. */
  readonly by: string;
  readonly target: number;
  /** Empty when nothing was said. */
  readonly reason: string;
}

/** How many changes are kept. */
const KEPT = 100;

/** A history with a new target before all others; the oldest change goes where there are too many. */
export function withChange(history: readonly TargetChange[], row: WireGuardTargetRow): TargetChange[] {
  const { startedAt: at, by, target, reason } = row;
  return [{ at, by, target, reason }, ...history].slice(0, KEPT);
}

/** A history as it is kept. What cannot be read is left out: it must not keep anybody from changing keys. */
export function decodeHistory(bytes: Uint8Array | undefined): TargetChange[] {
  const list = rejecting(() => bytes && readJson(bytes));
  if (!list.ok || !Array.isArray(list.value)) return [];
  return list.value.flatMap((element) => {
    const change = rejecting(() => readChange(element));
    return change.ok ? change.value : [];
  });
}

function readChange(element: unknown): TargetChange {
  const object = asObject(element);
  return {
    at: readRequired(object, 'at'),
    by: readString(object, 'by'),
    target: readUint(object, 'target', 0xffff_ffff),
    reason: readString(object, 'reason'),
  };
}
