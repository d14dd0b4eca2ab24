import { parseCidr } from '@isthmus/net';
import type { PrefixTable } from '../rib/prefix-table.ts';
import type { PrefixRange } from './policy.ts';

interface Entry {
  readonly words: readonly number[];
  readonly length: number;
  readonly min: number;
  readonly max: number;
}

/** A prefix list in numbers. */
export class PrefixList {
  readonly #entries: { ipv4: Entry[]; ipv6: Entry[] } = { ipv4: [], ipv6: [] };

  /** @throws RangeError for what is no CIDR */
  constructor(ranges: readonly PrefixRange[]) {
    for (const range of ranges) {
      const cidr = parseCidr(range.prefix);
      if (cidr === undefined) throw new RangeError(`not a prefix: ${range.prefix}`);
      const { bytes } = cidr.address;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const words = Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4));
      const min = range.min ?? cidr.length;
      this.#entries[cidr.family === 4 ? 'ipv4' : 'ipv6'].push({ words, length: cidr.length, min, max: range.max ?? min });
    }
  }

  /** Whether any entry has the prefix. */
  has(table: PrefixTable, prefix: number): boolean {
    const length = table.length(prefix);
    for (const entry of this.#entries[table.family]) {
      if (length < entry.min || length > entry.max || length < entry.length) continue;
      if (within(entry, table, prefix)) return true;
    }
    return false;
  }
}

function within(entry: Entry, table: PrefixTable, prefix: number): boolean {
  for (let word = 0, bits = entry.length; bits > 0; word++, bits -= 32) {
    const mask = bits >= 32 ? -1 : -1 << (32 - bits);
    if (((table.word(prefix, word) ^ entry.words[word]!) & mask) !== 0) return false;
  }
  return true;
}
