import type { WireGuardTargetRow } from '@isthmus/model';
import { z } from 'zod';
import type { Epoch } from '../epoch.ts';
import { jsonOf } from './target-record.ts';

/** A change of a cluster's target. */
export interface TargetChange {
  /** RFC 3339 */
  readonly at: string;
  /** The user of the etcd who asked for it; empty when nothing was said. */
  readonly by: string;
  readonly target: Epoch;
  /** Empty when nothing was said. */
  readonly reason: string;
}

/** How many changes are kept. */
const KEPT = 100;

const changeSchema = z.object({ at: z.string(), by: z.string(), target: z.number(), reason: z.string() });

/** A history with a new target before all others; the oldest change goes where there are too many. */
export function withChange(history: readonly TargetChange[], row: WireGuardTargetRow): TargetChange[] {
  const { startedAt: at, by, target, reason } = row;
  return [{ at, by, target, reason }, ...history].slice(0, KEPT);
}

/** A history as it is kept. What cannot be read is left out: it must not keep anybody from changing keys. */
export function decodeHistory(bytes: Uint8Array | undefined): TargetChange[] {
  const list = bytes === undefined ? [] : jsonOf(bytes);
  if (!Array.isArray(list)) return [];
  return list.flatMap((element) => changeSchema.safeParse(element).data ?? []);
}
