import type { AddressRules } from './cluster-networks.ts';
import type { MaxConnectedClusters } from './numeric-identity.ts';

/** Why a record was dropped. Codes are labels of a metric: few, and none is made from input. */
export const DROP_REASONS = [
  'too-large', // longer than a record of its kind can be
  'bad-encoding', // not UTF-8
  'bad-json', // not JSON, or not an object
  'bad-field', // a field of the wrong type, or a required one missing
  'bad-address', // not an IP address, or one with a zone
  'bad-cidr', // not a network, or a mask with gaps
  'bad-port', // not a port or not a protocol name
  'bad-label', // not a label of the form source:key=value
  'bad-epoch', // no epoch of keys, or epochs out of order or of one parity
  'bad-public-key', // not a WireGuard key, or one twice
  'bad-time', // not an RFC 3339 time, or the zero time
  'unknown-value', // a value outside a fixed set
  'bad-key', // a key that no record of this kind can have
  'key-mismatch', // the value names something else than the key
  'foreign-cluster', // the value names another cluster
  'foreign-cluster-id', // the value carries another cluster id
  'foreign-identity', // an identity outside the cluster's range
  'foreign-network', // an address among another cluster's pods, or pods outside the networks that the cluster joined with
  'too-many', // more records than one cluster may publish
  'too-much', // more bytes than one cluster may publish
] as const;

/** One of {@link DROP_REASONS}. */
export type DropReason = (typeof DROP_REASONS)[number];

/** Outcome of reading a record: never an exception, whatever the bytes. */
export type Decoded<T> = { ok: true; value: T } | Dropped;

/** What is known of a record that is not taken. */
export interface Dropped {
  ok: false;
  reason: DropReason;
  /** What is wrong with what in it, where the reason alone does not tell. Made of input only as far as that was read. */
  detail?: string;
}

/** What a record is checked against: whose it claims to be by the place it was found in. */
export interface RecordContext {
  /** Name of the cluster that owns the prefix. */
  cluster: string;
  /** That cluster's id, from its configuration. */
  clusterId: number;
  maxConnectedClusters: MaxConnectedClusters;
  /** Which addresses that cluster may publish; any unless given. */
  addresses?: AddressRules;
  /** The key without the prefix of its {@link RecordLayout}: node, id, address, or namespace/name. */
  name: string;
}

/** Longest name part of a key that is read at all, in characters. */
const MAX_NAME = 512;

/** Carries a reason out of nested readers. Not an Error: hostile records must not cost a stack trace each. */
export class Rejection {
  readonly reason: DropReason;
  readonly detail: string | undefined;

  constructor(reason: DropReason, detail: string | undefined) {
    this.reason = reason;
    this.detail = detail;
  }
}

/** Gives up the record being read. Only inside {@link decoding}. */
export function reject(reason: DropReason, detail?: string): never {
  throw new Rejection(reason, detail);
}

/** Runs a reader of at most `maxBytes`, turning its {@link reject} into a result. */
export function decoding<T>(bytes: Uint8Array, context: Pick<RecordContext, 'name'>, maxBytes: number, read: () => T): Decoded<T> {
  if (bytes.length > maxBytes) return { ok: false, reason: 'too-large' };
  if (context.name === '' || context.name.length > MAX_NAME) return { ok: false, reason: 'bad-key' };
  return rejecting(read);
}

/** Runs a reader, turning its {@link reject} into a result. */
export function rejecting<T>(read: () => T): Decoded<T> {
  try {
    return { ok: true, value: read() };
  } catch (thrown) {
    if (thrown instanceof Rejection)
      return { ok: false, reason: thrown.reason, ...(thrown.detail === undefined ? {} : { detail: thrown.detail }) };
    throw thrown;
  }
}
