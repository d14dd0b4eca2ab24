/** A 48-bit Ethernet address. Never changes. */
export class MacAddress {
  /** Six bytes as on the wire. Not to be written to. */
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    if (bytes.length !== 6) throw new RangeError(`an Ethernet address has 6 bytes, not ${bytes.length}`);
    this.bytes = bytes;
  }

  /** Lower case with colons: `02:00:00:00:00:01`. */
  toString(): string {
    return Array.from(this.bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
  }

  /** True for group addresses (lowest bit of the first byte). */
  get multicast(): boolean {
    return (this.bytes[0]! & 1) !== 0;
  }

  /** Same six bytes. */
  equals(other: MacAddress): boolean {
    return this.bytes.every((byte, i) => byte === other.bytes[i]);
  }
}

/** Reads six hexadecimal pairs joined by colons or by hyphens; undefined when the text is none. */
export function parseMac(text: string): MacAddress | undefined {
  const match = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}$/i.exec(text);
  if (match === null) return undefined;
  return new MacAddress(Uint8Array.from(text.split(match[1]!), (pair) => Number.parseInt(pair, 16)));
}
