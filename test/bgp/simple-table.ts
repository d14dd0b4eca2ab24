import type { ParsedUpdate, PeerUp, RoutedFamily, SpeakerTable } from '@isthmus/bgp';
import { addressBytes, Cidr, Ip, parseCidr } from '@isthmus/net';

/** Path attribute types of RFC 4271 §5, RFC 1997, RFC 4760 and RFC 8092. */
const ATTRIBUTE = { origin: 1, asPath: 2, nextHop: 3, med: 4, localPref: 5, communities: 8, reach: 14, unreach: 15, large: 32 } as const;
const OPTIONAL_TRANSITIVE = 0xc0;
const TRANSITIVE = 0x40;
const OPTIONAL = 0x80;

/** A route that the test has the speaker announce. */
export interface OwnRoute {
  readonly prefix: string;
  readonly nextHop: string;
  readonly med?: number;
  readonly communities?: readonly (readonly [number, number])[];
  readonly large?: readonly (readonly [number, number, number])[];
}

/** A route that was learned: its attributes as hexadecimal text by type. */
export interface LearnedRoute {
  readonly nextHop: string;
  readonly attributes: ReadonlyMap<number, string>;
  stale: boolean;
}

/**
 * A route table of the plainest kind for tests of sessions: no best path, no policy, no judging of what comes. One message per route.
 */
export class SimpleTable implements SpeakerTable<unknown> {
  readonly learned = new Map<string, LearnedRoute>();
  readonly #asn: number;
  #peers = 0;
  #own = new Map<string, OwnRoute>();
  #queue: Uint8Array[] = [];
  #up = new Map<number, PeerUp>();
  #dirty: ((peer: number) => void)[] = [];
  /** More learned routes than this end the session. */
  limit = Number.POSITIVE_INFINITY;

  constructor(asn: number) {
    this.#asn = asn;
  }

  originate(route: OwnRoute): void {
    this.#own.set(route.prefix, route);
    for (const peer of this.#up.keys()) this.#send(peer, announce(route, this.#asn));
  }

  withdraw(prefix: string): void {
    this.#own.delete(prefix);
    for (const peer of this.#up.keys()) this.#send(peer, withdraw(prefix));
  }

  addPeer(): number {
    return this.#peers++;
  }

  updatePeer(): void {}

  removePeer(): void {}

  /** Nothing that came in goes out here. */
  setDeferring(): void {}

  onDirty(listener: (peer: number) => void): void {
    this.#dirty.push(listener);
  }

  peerUp(peer: number, up: PeerUp): void {
    this.#up.set(peer, up);
    for (const family of up.negotiated.families) this.refresh(peer, family);
  }

  receive(_peer: number, update: ParsedUpdate): 'ok' | 'max-prefixes-exceeded' {
    for (const run of update.withdrawn) for (const prefix of prefixes(run)) this.learned.delete(prefix);
    for (const run of update.reach) {
      const nextHop = new Ip(run.nextHop.length === 4 ? 4 : 6, run.nextHop.slice(0, 16)).toString();
      for (const prefix of prefixes(run)) this.learned.set(prefix, { nextHop, attributes: attributesOf(update.attributes), stale: false });
    }
    return this.learned.size > this.limit ? 'max-prefixes-exceeded' : 'ok';
  }

  endOfRib(): void {}

  peerDown(peer: number, how: 'withdraw' | 'keep-stale'): void {
    this.#up.delete(peer);
    this.#queue = [];
    if (how === 'withdraw') this.learned.clear();
    for (const route of this.learned.values()) route.stale = true;
  }

  markStale(): void {}

  keepLongLived(): void {}

  sweepStale(_peer: number, family?: RoutedFamily): void {
    for (const [prefix, { stale }] of this.learned)
      if (stale && (family === undefined || familyOf(prefix) === family)) this.learned.delete(prefix);
  }

  nextUpdates(): Uint8Array | undefined {
    return this.#queue.shift();
  }

  refresh(peer: number, family: RoutedFamily): void {
    for (const route of this.#own.values()) if (familyOf(route.prefix) === family) this.#send(peer, announce(route, this.#asn));
    this.#send(peer, endOfRib(family));
  }

  #send(peer: number, message: Uint8Array): void {
    this.#queue.push(message);
    for (const listener of this.#dirty) listener(peer);
  }
}

const familyOf = (prefix: string): RoutedFamily => (prefix.includes(':') ? 'ipv6' : 'ipv4');
const u16 = (value: number): number[] => [value >> 8, value & 0xff];
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
const attribute = (flags: number, type: number, value: readonly number[]): number[] => [flags, type, value.length, ...value];

function nlri(prefix: string): number[] {
  const { address, length } = parseCidr(prefix)!;
  return [length, ...address.bytes.slice(0, (length + 7) >> 3)];
}

function message(withdrawn: readonly number[], attributes: readonly number[], reach: readonly number[]): Uint8Array {
  const body = [...u16(withdrawn.length), ...withdrawn, ...u16(attributes.length), ...attributes, ...reach];
  return Uint8Array.from([...new Array<number>(16).fill(0xff), ...u16(19 + body.length), 2, ...body]);
}

function announce({ prefix, nextHop, med, communities = [], large = [] }: OwnRoute, asn: number): Uint8Array {
  const hop = [...addressBytes(nextHop).bytes];
  const six = familyOf(prefix) === 'ipv6';
  const attributes = [
    ...attribute(TRANSITIVE, ATTRIBUTE.origin, [0]),
    ...attribute(TRANSITIVE, ATTRIBUTE.asPath, [2, 1, ...u32(asn)]),
    ...(six ? [] : attribute(TRANSITIVE, ATTRIBUTE.nextHop, hop)),
    ...(med === undefined ? [] : attribute(OPTIONAL, ATTRIBUTE.med, u32(med))),
    ...(communities.length === 0
      ? []
      : attribute(
          OPTIONAL_TRANSITIVE,
          ATTRIBUTE.communities,
          communities.flatMap(([a, b]) => [...u16(a), ...u16(b)]),
        )),
    ...(six ? attribute(OPTIONAL, ATTRIBUTE.reach, [0, 2, 1, hop.length, ...hop, 0, ...nlri(prefix)]) : []),
    ...(large.length === 0 ? [] : attribute(OPTIONAL_TRANSITIVE, ATTRIBUTE.large, large.flat().flatMap(u32))),
  ];
  return message([], attributes, six ? [] : nlri(prefix));
}

function withdraw(prefix: string): Uint8Array {
  if (familyOf(prefix) === 'ipv4') return message(nlri(prefix), [], []);
  return message([], attribute(OPTIONAL, ATTRIBUTE.unreach, [0, 2, 1, ...nlri(prefix)]), []);
}

function endOfRib(family: RoutedFamily): Uint8Array {
  return family === 'ipv4' ? message([], [], []) : message([], attribute(OPTIONAL, ATTRIBUTE.unreach, [0, 2, 1]), []);
}

function* prefixes({ family, bytes }: { family: RoutedFamily; bytes: Uint8Array }): Generator<string> {
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at]!;
    const size = (length + 7) >> 3;
    const address = new Uint8Array(family === 'ipv4' ? 4 : 16);
    address.set(bytes.subarray(at + 1, at + 1 + size));
    yield new Cidr(new Ip(family === 'ipv4' ? 4 : 6, address), length).toString();
    at += 1 + size;
  }
}

/** Attributes of a block one after another. */
function* walk(block: Uint8Array): Generator<{ type: number; value: Uint8Array }> {
  for (let at = 0; at < block.length; ) {
    const wide = (block[at]! & 0x10) !== 0;
    const start = at + (wide ? 4 : 3);
    const end = start + (wide ? (block[at + 2]! << 8) | block[at + 3]! : block[at + 2]!);
    yield { type: block[at + 1]!, value: block.subarray(start, end) };
    at = end;
  }
}

function attributesOf(block: Uint8Array): Map<number, string> {
  return new Map([...walk(block)].map(({ type, value }) => [type, Buffer.from(value).toString('hex')]));
}
