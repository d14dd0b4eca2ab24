import { WIREGUARD_PORTS, type WireGuardRow } from '@isthmus/model';
import { deviceOf, type Epoch } from '../epoch.ts';

/** What a node publishes of its keys. */
export type WireGuardRecord = Pick<WireGuardRow, 'epochs' | 'minTx' | 'laggards' | 'blockedBy'>;

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

/** What a node counts as having published that knows of no epochs: its key is that of each even one that this node has. */
export function recordWithoutEpochs(publicKey: string, own: Iterable<Epoch>): WireGuardRecord {
  const even = [...own].filter((epoch) => deviceOf(epoch) === 'even');
  return { epochs: even.map((epoch) => ({ epoch, publicKey, port: WIREGUARD_PORTS.even })), minTx: 0, laggards: [] };
}

/** The hash of the KEM key of an epoch, base64, if preshared keys can be agreed on. */
export function kemKeyHashOf(record: WireGuardRecord | undefined, epoch: Epoch): string | undefined {
  return record?.epochs.find((each) => each.epoch === epoch)?.kemKeyHash;
}
