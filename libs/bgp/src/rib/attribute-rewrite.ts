import { ATTRIBUTE } from '../attribute/attribute-type.ts';
import { COMMUNITY, DEFAULT_LOCAL_PREF } from './attribute-summary.ts';

/** What changes in an attribute block on its way to a peer. */
export interface Rewrite {
  readonly external: boolean;
  readonly localAs: number;
  /** Set when the route is reflected, RFC 4456 §8: added where there is no ORIGINATOR_ID, and put before the cluster list. */
  readonly reflected?: { readonly originator: number; readonly clusterId: number };
  /** RFC 8326: the GRACEFUL_SHUTDOWN community, and LOCAL_PREF 0 inside the AS. */
  readonly draining: boolean;
}

/** The block as the peer gets it: RFC 4271 §5.1.2 (own AS to externals), §5.1.4, §5.1.5 (no MED, no LOCAL_PREF to externals), RFC 4456 §8. */
export function rewritten(block: Uint8Array, rewrite: Rewrite): Uint8Array {
  const values = new Map<number, { flags: number; value: number[] | Uint8Array }>();
  for (let at = 0; at < block.length; ) {
    const extended = (block[at]! & 0x10) !== 0;
    const from = at + (extended ? 4 : 3);
    const length = extended ? (block[at + 2]! << 8) | block[at + 3]! : block[at + 2]!;
    values.set(block[at + 1]!, { flags: block[at]! & 0xef, value: block.subarray(from, from + length) });
    at = from + length;
  }
  if (rewrite.external) toExternal(values, rewrite.localAs);
  else toInternal(values, rewrite);
  if (rewrite.draining) {
    const communities = values.get(ATTRIBUTE.communities)?.value ?? [];
    if (!hasCommunity(communities, COMMUNITY.gracefulShutdown)) {
      values.set(ATTRIBUTE.communities, { flags: 0xc0, value: [...communities, ...octets(COMMUNITY.gracefulShutdown)] });
    }
  }
  return joined(values);
}

type Values = Map<number, { flags: number; value: number[] | Uint8Array }>;

function toExternal(values: Values, localAs: number): void {
  for (const type of [ATTRIBUTE.med, ATTRIBUTE.localPref, ATTRIBUTE.originatorId, ATTRIBUTE.clusterList]) values.delete(type);
  const path = values.get(ATTRIBUTE.asPath)?.value ?? [];
  const extend = path[0] === 2 && path[1]! < 255;
  const value = new Uint8Array(path.length + (extend ? 4 : 6));
  value.set([2, extend ? path[1]! + 1 : 1, ...octets(localAs)]);
  value.set(extend ? path.slice(2) : path, 6);
  values.set(ATTRIBUTE.asPath, { flags: 0x40, value });
}

function toInternal(values: Values, { reflected, draining }: Rewrite): void {
  if (draining) values.set(ATTRIBUTE.localPref, { flags: 0x40, value: octets(0) });
  else if (!values.has(ATTRIBUTE.localPref)) values.set(ATTRIBUTE.localPref, { flags: 0x40, value: octets(DEFAULT_LOCAL_PREF) });
  if (reflected === undefined) return;
  if (!values.has(ATTRIBUTE.originatorId)) values.set(ATTRIBUTE.originatorId, { flags: 0x80, value: octets(reflected.originator) });
  const clusters = values.get(ATTRIBUTE.clusterList)?.value ?? [];
  values.set(ATTRIBUTE.clusterList, { flags: 0x80, value: [...octets(reflected.clusterId), ...clusters] });
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
