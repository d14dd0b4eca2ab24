import type { Epoch } from '../epoch.ts';

/** A node's public key of an epoch, and where that is listened for. */
export interface PublishedEpoch {
  readonly epoch: Epoch;
  /** Base64. */
  readonly publicKey: string;
  readonly port: number;
}

/** What a node publishes of its keys: one value, so that nobody ever sees half of it. */
export interface WireGuardRecord {
  /** Live ones, the oldest first: two at most. */
  readonly epochs: readonly PublishedEpoch[];
  /** It sends by no older epoch, but to the laggards. */
  readonly minTx: Epoch;
  /** Nodes, `<cluster>/<node>`, that it cannot send to by the newest yet: they must keep what it sends by. Sorted. */
  readonly laggards: readonly string[];
}

/** The key of an epoch, if it is live. */
export function keyOf(record: WireGuardRecord | undefined, epoch: Epoch): string | undefined {
  return record?.epochs.find((each) => each.epoch === epoch)?.publicKey;
}

/** Whether a node will not send to another one by an epoch any more: its word for it. */
export function hasLeft(record: WireGuardRecord, epoch: Epoch, to: string): boolean {
  return record.minTx > epoch && !record.laggards.includes(to);
}
