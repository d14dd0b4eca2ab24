import type { WireGuardRow } from '@isthmus/model';
import type { Epoch } from '../epoch.ts';

/** What a node publishes of its keys. */
export type WireGuardRecord = Pick<WireGuardRow, 'epochs' | 'minTx' | 'laggards'>;

/** The key of an epoch, if it is live. */
export function keyOf(record: WireGuardRecord | undefined, epoch: Epoch): string | undefined {
  if (record === undefined) return undefined;
  for (const each of record.epochs) if (each.epoch === epoch) return each.publicKey;
  return undefined;
}

/** Whether a node will not send to another one by an epoch any more: its word for it. */
export function hasLeft(record: WireGuardRecord, epoch: Epoch, to: string): boolean {
  return record.minTx > epoch && !record.laggards.includes(to);
}

/** The KEM key of an epoch, base64, if preshared keys can be agreed on. */
export function kemKeyOf(record: WireGuardRecord | undefined, epoch: Epoch): string | undefined {
  return record?.epochs.find((each) => each.epoch === epoch)?.kemKey;
}
