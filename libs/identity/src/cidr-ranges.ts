import type { Table } from '@isthmus/core';
import { type Family, parseCidr } from '@isthmus/net';

/** A network as the range that it is, and whose it is. */
interface Range {
  readonly first: bigint;
  readonly last: bigint;
  readonly owner: string;
}

/** The networks that rows of a table name, in order: answers which of them lie within another without looking at all. */
export class CidrRanges<V> {
  readonly #table: Table<V>;
  readonly #cidrsOf: (row: V) => readonly string[];
  #ranges: Record<Family, Range[]> = { 4: [], 6: [] };
  /** Of the table, when it was last looked at. */
  #seen = -1;

  constructor(table: Table<V>, cidrsOf: (row: V) => readonly string[]) {
    this.#table = table;
    this.#cidrsOf = cidrsOf;
  }

  /** Keys of the rows that have a network within `cidr`. */
  within(cidr: string): string[] {
    const outer = rangeOf(cidr, '');
    if (outer === undefined) return [];
    this.#catchUp();
    const ranges = this.#ranges[outer.family];
    const keys: string[] = [];
    for (let at = firstFrom(ranges, outer.range.first); at < ranges.length && ranges[at]!.first <= outer.range.last; at++)
      if (ranges[at]!.last <= outer.range.last) keys.push(ranges[at]!.owner);
    return keys;
  }

  #catchUp(): void {
    const { seq } = this.#table.log;
    if (seq === this.#seen) return;
    this.#seen = seq;
    this.#ranges = { 4: [], 6: [] };
    for (const [owner, row] of this.#table.rows()) {
      for (const cidr of this.#cidrsOf(row)) {
        const found = rangeOf(cidr, owner);
        if (found !== undefined) this.#ranges[found.family].push(found.range);
      }
    }
    for (const ranges of Object.values(this.#ranges)) ranges.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  }
}

function rangeOf(text: string, owner: string): { family: Family; range: Range } | undefined {
  const cidr = parseCidr(text);
  if (cidr === undefined) return undefined;
  const first = cidr.address.bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { family: cidr.family, range: { first, last: first + cidr.size - 1n, owner } };
}

/** Position of the first range that begins at `wanted` or behind it. */
function firstFrom(ranges: readonly Range[], wanted: bigint): number {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.first < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
