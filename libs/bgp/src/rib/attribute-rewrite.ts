import { AS_TRANS, readAsPath, writeAsPath } from '../attribute/as-path.codec.ts';
import { ATTRIBUTE } from '../attribute/attribute-type.ts';
import { BlockWriter } from '../attribute/block-writer.ts';
import { COMMUNITY, DEFAULT_LOCAL_PREF } from './attribute-summary.ts';

/** What changes in an attribute block on its way to a peer. */
export interface Rewrite {
  readonly external: boolean;
  readonly localAs: number;
  /** Set when the route is reflected, RFC 4456 §8: added where there is no ORIGINATOR_ID, and put before the cluster list. */
  readonly reflected?: { readonly originator: number; readonly clusterId: number };
  /** RFC 8326: the GRACEFUL_SHUTDOWN community, and LOCAL_PREF 0 inside the AS. */
  readonly draining: boolean;
  /** MED is this speaker's own word, not a neighbour AS's: external peers get it, RFC 4271 §5.1.4. */
  readonly ownMed?: boolean;
  /** The peer reads AS numbers of two octets, RFC 6793 §4.2.2. */
  readonly twoOctetAs?: boolean;
}

/** What external peers do not get. */
const INSIDE: readonly number[] = [ATTRIBUTE.localPref, ATTRIBUTE.originatorId, ATTRIBUTE.clusterList];

/** The block as the peer gets it, until the next one is asked for: RFC 4271 §5.1.2 (own AS to externals), §5.1.4, §5.1.5 (no MED, no LOCAL_PREF to externals), RFC 4456 §8. */
export function rewritten(block: Uint8Array, rewrite: Rewrite): Uint8Array {
  return rewrite.external && !rewrite.draining && !rewrite.twoOctetAs ? external(block, rewrite) : byAttribute(block, rewrite);
}

const writer = new BlockWriter();

/** What almost all routes need, in one pass: own AS in front, and what stays inside the AS left out. */
function external(block: Uint8Array, { localAs, ownMed }: Rewrite): Uint8Array {
  writer.reset();
  for (let at = 0; at < block.length; ) {
    const flags = block[at]!;
    const type = block[at + 1]!;
    const extended = (flags & 0x10) !== 0;
    const from = at + (extended ? 4 : 3);
    const to = from + (extended ? (block[at + 2]! << 8) | block[at + 3]! : block[at + 2]!);
    at = to;
    if (type === ATTRIBUTE.asPath) {
      const path = prepended(block.subarray(from, to), localAs);
      writer.attribute(0x40, type, path);
    } else if (!INSIDE.includes(type) && (ownMed || type !== ATTRIBUTE.med)) writer.attributeOf(flags, type, block, from, to);
  }
  return writer.view();
}

function byAttribute(block: Uint8Array, rewrite: Rewrite): Uint8Array {
  const values = new Map<number, { flags: number; value: number[] | Uint8Array }>();
  for (let at = 0; at < block.length; ) {
    const extended = (block[at]! & 0x10) !== 0;
    const from = at + (extended ? 4 : 3);
    const length = extended ? (block[at + 2]! << 8) | block[at + 3]! : block[at + 2]!;
    values.set(block[at + 1]!, { flags: block[at]! & 0xef, value: block.subarray(from, from + length) });
    at = from + length;
  }
  if (rewrite.external) toExternal(values, rewrite);
  else toInternal(values, rewrite);
  if (rewrite.draining) {
    const communities = values.get(ATTRIBUTE.communities)?.value ?? [];
    if (!hasCommunity(communities, COMMUNITY.gracefulShutdown)) {
      values.set(ATTRIBUTE.communities, { flags: 0xc0, value: [...communities, ...octets(COMMUNITY.gracefulShutdown)] });
    }
  }
  if (rewrite.twoOctetAs) narrow(values);
  return joined(values);
}

type Values = Map<number, { flags: number; value: number[] | Uint8Array }>;

function toExternal(values: Values, { localAs, ownMed }: Rewrite): void {
  for (const type of INSIDE) values.delete(type);
  if (!ownMed) values.delete(ATTRIBUTE.med);
  values.set(ATTRIBUTE.asPath, { flags: 0x40, value: prepended(values.get(ATTRIBUTE.asPath)?.value ?? [], localAs) });
}

/** The value of an AS_PATH with an AS in front, RFC 4271 §5.1.2 b. */
function prepended(path: ArrayLike<number>, asn: number): Uint8Array {
  const extend = path[0] === 2 && path[1]! < 255;
  const value = new Uint8Array(path.length + (extend ? 4 : 6));
  value.set(path, extend ? 4 : 6);
  value[0] = 2;
  value[1] = extend ? path[1]! + 1 : 1;
  value[2] = asn >>> 24;
  value[3] = asn >>> 16;
  value[4] = asn >>> 8;
  value[5] = asn;
  return value;
}

function toInternal(values: Values, { reflected, draining }: Rewrite): void {
  if (draining) values.set(ATTRIBUTE.localPref, { flags: 0x40, value: octets(0) });
  else if (!values.has(ATTRIBUTE.localPref)) values.set(ATTRIBUTE.localPref, { flags: 0x40, value: octets(DEFAULT_LOCAL_PREF) });
  if (reflected === undefined) return;
  if (!values.has(ATTRIBUTE.originatorId)) values.set(ATTRIBUTE.originatorId, { flags: 0x80, value: octets(reflected.originator) });
  const clusters = values.get(ATTRIBUTE.clusterList)?.value ?? [];
  values.set(ATTRIBUTE.clusterList, { flags: 0x80, value: [...octets(reflected.clusterId), ...clusters] });
}

/** AS_PATH and AGGREGATOR two octets wide; what that loses is in AS4_PATH and AS4_AGGREGATOR, where a peer that knows them passes it on. */
function narrow(values: Values): void {
  const path = readAsPath(Uint8Array.from(values.get(ATTRIBUTE.asPath)?.value ?? []), 4);
  values.set(ATTRIBUTE.asPath, { flags: 0x40, value: writeAsPath(path, 2) });
  if (path.some(({ asns }) => asns.some((asn) => asn > 0xffff))) {
    const plain = path.filter(({ type }) => type === 'sequence' || type === 'set');
    values.set(ATTRIBUTE.as4Path, { flags: 0xc0, value: writeAsPath(plain, 4) });
  }
  const aggregator = values.get(ATTRIBUTE.aggregator);
  if (aggregator === undefined) return;
  const { flags, value } = aggregator;
  const wide = value[0] !== 0 || value[1] !== 0;
  values.set(ATTRIBUTE.aggregator, { flags, value: [...(wide ? [AS_TRANS >>> 8, AS_TRANS & 255] : value.slice(2, 4)), ...value.slice(4)] });
  if (wide) values.set(ATTRIBUTE.as4Aggregator, { flags: 0xc0, value });
}

function hasCommunity(communities: ArrayLike<number>, wanted: number): boolean {
  const [a, b, c, d] = octets(wanted);
  for (let at = 0; at < communities.length; at += 4) {
    if (communities[at] === a && communities[at + 1] === b && communities[at + 2] === c && communities[at + 3] === d) return true;
  }
  return false;
}

function joined(values: Values): Uint8Array {
  const types = [...values.keys()].sort((a, b) => a - b);
  let size = 0;
  for (const type of types) size += values.get(type)!.value.length + 4;
  const out = new Uint8Array(size);
  let at = 0;
  for (const type of types) {
    const { flags, value } = values.get(type)!;
    if (value.length > 255) {
      out.set([flags | 0x10, type, value.length >>> 8, value.length & 255], at);
      at += 4;
    } else {
      out.set([flags, type, value.length], at);
      at += 3;
    }
    out.set(value, at);
    at += value.length;
  }
  return out.subarray(0, at);
}

function octets(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}
