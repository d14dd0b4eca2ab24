import { prefixRange } from '../../key-range.ts';
import type { KvCompare, KvOp, KvRelation, KvTxn, KvValue } from '../../kvstore.ts';
import { WireWriter } from './wire-writer.ts';

/** A read of one key (without an end) or a range. Revision 0 is the present one, limit 0 none. */
export interface RangeRequest {
  key: Uint8Array | string;
  rangeEnd?: Uint8Array;
  limit?: number;
  revision?: number;
}

/** A write of one key. */
export interface PutRequest {
  key: string;
  value: KvValue;
  lease?: string | undefined;
}

/** The beginning of a watch. */
export interface WatchRequest {
  key: Uint8Array;
  rangeEnd: Uint8Array;
  startRevision: number;
  prevKv: boolean;
}

const RELATIONS: Record<KvRelation, number> = { '=': 0, '>': 1, '<': 2, '!=': 3 };
/** Field of each property in a comparison, and its number as a target. */
const TARGETS = { version: [4, 0], createRevision: [5, 1], modRevision: [6, 2], value: [7, 3], lease: [8, 4] } as const;

function encoded(write: (to: WireWriter) => void): Buffer {
  const writer = new WireWriter();
  write(writer);
  return writer.finish();
}

/** Writes a `RangeRequest`. */
export function encodeRange(request: RangeRequest): Buffer {
  return encoded((to) => writeRange(to, request));
}

/** Writes a `PutRequest`. */
export function encodePut(request: PutRequest): Buffer {
  return encoded((to) => writePut(to, request));
}

/** Writes a `DeleteRangeRequest`. */
export function encodeDelete(request: { key: Uint8Array | string; rangeEnd?: Uint8Array }): Buffer {
  return encoded((to) => writeKeys(to, request));
}

/** Writes a `TxnRequest`. */
export function encodeTxn({ compare = [], success, failure = [] }: KvTxn): Buffer {
  return encoded((to) => {
    for (const op of failure.toReversed()) to.message(3, () => writeOp(to, op));
    for (const op of success.toReversed()) to.message(2, () => writeOp(to, op));
    for (const each of compare.toReversed()) to.message(1, () => writeCompare(to, each));
  });
}

/** Writes a `WatchRequest` that creates a watch with progress notifications, whose answers may come in fragments. */
export function encodeWatch({ key, rangeEnd, startRevision, prevKv }: WatchRequest): Buffer {
  return encoded((to) =>
    to.message(1, () => {
      to.flag(8, true);
      to.flag(6, prevKv);
      to.flag(4, true);
      to.number(3, startRevision);
      writeKeys(to, { key, rangeEnd });
    }),
  );
}

/** Writes a `LeaseGrantRequest`. */
export function encodeLeaseGrant({ seconds }: { seconds: number }): Buffer {
  return encoded((to) => to.number(1, seconds));
}

/** Writes a `LeaseRevokeRequest` or `LeaseKeepAliveRequest`. */
export function encodeLeaseId({ id }: { id: string }): Buffer {
  return encoded((to) => to.decimal(1, id));
}

/** Writes a request without fields. */
export function encodeNothing(): Buffer {
  return Buffer.alloc(0);
}

function writeKeys(to: WireWriter, { key, rangeEnd }: { key: Uint8Array | string; rangeEnd?: Uint8Array }): void {
  if (rangeEnd) to.bytes(2, rangeEnd);
  to.bytes(1, key);
}

function writeRange(to: WireWriter, request: RangeRequest): void {
  to.number(4, request.revision ?? 0);
  to.number(3, request.limit ?? 0);
  writeKeys(to, request);
}

function writePut(to: WireWriter, { key, value, lease }: PutRequest): void {
  if (lease) to.decimal(3, lease);
  to.bytes(2, value);
  to.bytes(1, key);
}

function writeOp(to: WireWriter, op: KvOp): void {
  if (op.type === 'put') to.message(2, () => writePut(to, op));
  else if (op.type === 'get') to.message(1, () => writeRange(to, op));
  else to.message(3, () => writeKeys(to, rangeOf(op)));
}

function rangeOf(op: Extract<KvOp, { type: 'delete' | 'deletePrefix' }>): { key: Uint8Array | string; rangeEnd?: Uint8Array } {
  if (op.type === 'delete') return { key: op.key };
  const { start, end } = prefixRange(op.prefix);
  return { key: start, rangeEnd: end };
}

function writeCompare(to: WireWriter, compare: KvCompare): void {
  const target = targetOf(compare);
  const [field, number] = TARGETS[target];
  const property = (compare as unknown as Record<string, number | KvValue>)[target] as number | KvValue;
  if (typeof property === 'number') to.always(field, property);
  else if (target === 'lease') to.decimal(field, property as string);
  else to.bytes(field, property);
  to.bytes(3, compare.key);
  to.number(2, number);
  to.number(1, RELATIONS[compare.op ?? '=']);
}

function targetOf(compare: KvCompare): keyof typeof TARGETS {
  return (Object.keys(TARGETS) as (keyof typeof TARGETS)[]).find((name) => name in compare) ?? 'version';
}
