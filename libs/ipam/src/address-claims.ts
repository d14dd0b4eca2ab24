import { type Family, type Ip, parseIp } from '@isthmus/net';
import { type AddressSpan, addressOfNumber, numberOf } from './address-span.ts';

/** Who has which address, of whatever spans: an address has one owner, an owner may have several. */
export class AddressClaims {
  readonly #owners: Readonly<Record<Family, Map<bigint, string>>> = { 4: new Map(), 6: new Map() };
  readonly #addresses = new Map<string, Set<string>>();
  /** Where the search of a span goes on, so that freed addresses are used again as late as possible. */
  readonly #cursors = new Map<string, bigint>();

  /** Owner of an address; undefined when it is free, or no address. */
  ownerOf(text: string): string | undefined {
    const ip = parseIp(text);
    return ip && this.#owners[ip.family].get(numberOf(ip));
  }

  /** Addresses of an owner, canonical text, oldest claim first. */
  addressesOf(owner: string): readonly string[] {
    return [...(this.#addresses.get(owner) ?? [])];
  }

  /** Gives the owner an address. @returns whether it has it now: false when somebody else has, or the text is no address */
  claim(text: string, owner: string): boolean {
    const ip = parseIp(text);
    if (!ip) return false;
    const number = numberOf(ip);
    const has = this.#owners[ip.family].get(number);
    if (has !== undefined) return has === owner;
    this.#owners[ip.family].set(number, owner);
    const own = this.#addresses.get(owner) ?? new Set();
    this.#addresses.set(owner, own.add(ip.toString()));
    return true;
  }

  /** Takes an address back; fine when it is free. */
  release(text: string): void {
    const ip = parseIp(text);
    const owner = ip && this.#owners[ip.family].get(numberOf(ip));
    if (ip === undefined || owner === undefined) return;
    this.#owners[ip.family].delete(numberOf(ip));
    const own = this.#addresses.get(owner);
    own?.delete(ip.toString());
    if (own?.size === 0) this.#addresses.delete(owner);
  }

  /** A free address of the span, which nobody owns by this call; undefined when there is none. Walks over what is taken. */
  nextFree(span: AddressSpan): Ip | undefined {
    const taken = this.#owners[span.family];
    const name = `${span.family}/${span.first}-${span.last}`;
    let number = this.#cursors.get(name) ?? span.first;
    for (let tried = 0n; tried < span.size && tried <= BigInt(taken.size); tried++) {
      const next = number === span.last ? span.first : number + 1n;
      if (!taken.has(number)) {
        this.#cursors.set(name, next);
        return addressOfNumber(span.family, number);
      }
      number = next;
    }
    return undefined;
  }
}
