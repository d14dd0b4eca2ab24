/** Names of communities (RFC 1997 and later) and their values. */
export const WELL_KNOWN_COMMUNITIES = Object.freeze({
  internet: 0,
  'planned-shut': 0xffff_0000,
  'accept-own': 0xffff_0001,
  'route-filter-translated-v4': 0xffff_0002,
  'route-filter-v4': 0xffff_0003,
  'route-filter-translated-v6': 0xffff_0004,
  'route-filter-v6': 0xffff_0005,
  'llgr-stale': 0xffff_0006,
  'no-llgr': 0xffff_0007,
  blackhole: 0xffff_029a,
  'no-export': 0xffff_ff01,
  'no-advertise': 0xffff_ff02,
  'no-export-subconfed': 0xffff_ff03,
  'no-peer': 0xffff_ff04,
});

/** A community: one of 32 bits (RFC 1997), or a large one of three parts (RFC 8092). */
export type BgpCommunity = { readonly standard: number } | { readonly large: readonly [number, number, number] };

/**
 * Reads a community: `65000:100`, a decimal number of 32 bits, a well-known name, or `64512:1:2`. Undefined when the text is none.
 * Numbers have no leading zeros.
 */
export function parseCommunity(text: string): BgpCommunity | undefined {
  if (Object.hasOwn(WELL_KNOWN_COMMUNITIES, text)) return { standard: WELL_KNOWN_COMMUNITIES[text as keyof typeof WELL_KNOWN_COMMUNITIES] };
  const parts = text.split(':');
  const limit = parts.length === 2 ? 0xffff : 0xffff_ffff;
  const [a, b, c] = parts.map((part) => decimal(part, limit));
  if (parts.length > 3 || a === undefined) return undefined;
  if (parts.length === 1) return { standard: a };
  if (b === undefined) return undefined;
  if (parts.length === 2) return { standard: a * 0x1_0000 + b };
  return c === undefined ? undefined : { large: [a, b, c] };
}

function decimal(text: string, max: number): number | undefined {
  if (!/^(0|[1-9]\d{0,9})$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}
