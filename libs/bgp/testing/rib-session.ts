import { ManualClock } from '@isthmus/core';
import type { Negotiated } from '../src/capability/negotiated.ts';
import { MAX_EXTENDED_MESSAGE, MESSAGE_TYPE, MessageFramer } from '../src/message/framing.ts';
import type { ParsedUpdate } from '../src/message/parsed-update.ts';
import { parseRouteRefresh, type RouteRefresh } from '../src/message/route-refresh.ts';
import { parseUpdate } from '../src/message/update.ts';
import { type PeerRouting, Rib } from '../src/rib/rib.ts';
import { PLAIN_SESSION } from './plain-session.ts';

/** Takes all, and changes nothing. */
export const ACCEPT = { rules: [], otherwise: 'accept' } as const;

/** A speaker's table, and what is due in it. */
export class Node {
  readonly rib: Rib;
  readonly clock = new ManualClock();
  readonly #due: (() => void)[] = [];
  readonly id: number;
  readonly asn: number;

  constructor(id: number, asn = 65_000 + id) {
    this.id = id;
    this.asn = asn;
    this.rib = new Rib({ asn, routerId: `10.0.0.${id}`, clock: this.clock, later: (run) => this.#due.push(run) });
  }

  /** Lets all walks end. */
  rest(): void {
    for (let run = this.#due.shift(); run; run = this.#due.shift()) run();
  }
}

/** A session between two tables, as real ones have it. */
export class Session {
  readonly #ends: readonly { node: Node; peer: number; other: Node }[];
  readonly #negotiated: Negotiated;
  readonly #severalPaths: boolean;
  /** Marks of RFC 7313 so far. */
  readonly marks: string[] = [];

  /** @param addPath the first sends several paths of a prefix, the second takes them */
  constructor(
    a: Node,
    b: Node,
    routing: PeerRouting = { importPolicy: ACCEPT },
    { addPath, ...negotiated }: Omit<Partial<Negotiated>, 'addPath'> & { addPath?: true } = {},
  ) {
    this.#negotiated = { ...PLAIN_SESSION, external: a.asn !== b.asn, ...negotiated };
    this.#severalPaths = addPath === true;
    this.#ends = [
      { node: a, other: b },
      { node: b, other: a },
    ].map((end) => ({ ...end, peer: end.node.rib.addPeer({ address: `10.0.0.${end.other.id}`, asn: end.other.asn, ...routing }) }));
    this.up();
  }

  /** Number of the second in the first one's table. */
  get peer(): number {
    return this.#ends[0]!.peer;
  }

  /** The second asks the first for all routes again. */
  refresh(): void {
    this.#ends[0]!.node.rib.refresh(this.peer, 'ipv4');
    this.run();
    for (const { node } of this.#ends) node.rest();
  }

  /** The second hears an UPDATE of the first that the first knows nothing of. */
  slip(update: ParsedUpdate): void {
    const { node, peer } = this.#ends[1]!;
    node.rib.receive(peer, update);
  }

  up(): void {
    for (const { node, peer, other } of this.#ends) {
      const addresses = { localAddress: `10.0.0.${node.id}`, remoteAddress: `10.0.0.${other.id}`, remoteRouterId: `10.0.0.${other.id}` };
      node.rib.peerUp(peer, { negotiated: this.#seenBy(node), remoteAs: other.asn, ...addresses });
    }
  }

  down(how: 'withdraw' | 'keep-stale' = 'withdraw'): void {
    for (const { node, peer } of this.#ends) {
      node.rib.peerDown(peer, how);
      node.rest();
    }
  }

  /** Carries what there is to say, until nobody has anything to say. */
  run(): void {
    const [first, second] = this.#ends;
    while (this.#carry(first!, second!) || this.#carry(second!, first!));
  }

  #seenBy(node: Node): Negotiated {
    if (!this.#severalPaths) return this.#negotiated;
    const sends = node === this.#ends[0]!.node;
    const both = { send: sends, receive: !sends };
    return { ...this.#negotiated, addPath: { ipv4: both, ipv6: both } };
  }

  #carry(from: { node: Node; peer: number }, to: { node: Node; peer: number }): boolean {
    const bytes = from.node.rib.nextUpdates(from.peer, 65_536);
    if (bytes === undefined) return false;
    const framer = new MessageFramer();
    if (this.#negotiated.extendedMessage) framer.maxMessage = MAX_EXTENDED_MESSAGE;
    framer.push(bytes);
    for (let message = framer.next(); message; message = framer.next()) {
      if (message.type === MESSAGE_TYPE.update) to.node.rib.receive(to.peer, parseUpdate(message.body, this.#seenBy(to.node)));
      else this.#mark(to, parseRouteRefresh(message.body));
    }
    return true;
  }

  #mark({ node, peer }: { node: Node; peer: number }, { family, subtype }: RouteRefresh): void {
    this.marks.push(`${subtype} ${family}`);
    if (subtype === 'begin') node.rib.markStale(peer, family!);
    else node.rib.sweepStale(peer, family);
  }
}
