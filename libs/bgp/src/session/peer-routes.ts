import type { Clock } from '@isthmus/core';
import type { Negotiated } from '../capability/negotiated.ts';
import { BgpError } from '../error/bgp-error.ts';
import type { RoutedFamily } from '../family/routed-family.ts';
import { frame, MESSAGE_TYPE } from '../message/framing.ts';
import type { Open } from '../message/open.ts';
import { parseRouteRefresh } from '../message/route-refresh.ts';
import type { Channel } from './channel.ts';
import { KeptRoutes, keepsRoutes } from './kept-routes.ts';
import type { SessionRoutes } from './peer-session.ts';
import { CEASE, CODE, type SessionEnd } from './session-end.ts';
import type { SessionTable, UpdateParser } from './session-table.ts';

/** Most bytes that are asked of the table at a time: thousands of prefixes, which take a few milliseconds. */
const WRITE_BYTES = 16_384;
/** Longest time that one turn of the loop spends on sending to one peer, in milliseconds. */
const SLICE_MS = 5;

/** Body of a ROUTE-REFRESH, RFC 2918 §3. */
const REFRESH_BYTES = 4;

/** What {@link PeerRoutes} needs. */
export interface PeerRoutesOptions {
  readonly table: SessionTable;
  readonly parseUpdate: UpdateParser;
  /** The peer's number in the table. */
  readonly peer: number;
  readonly clock: Clock;
  /** The OPEN to send now. */
  readonly open: () => Open;
  /** The peer has sent all that it has of a family. */
  readonly onComplete: () => void;
}

/** Ties a session to the table: what comes in goes there at once, what goes out is pulled from it while the socket takes bytes. */
export class PeerRoutes implements SessionRoutes {
  readonly #options: PeerRoutesOptions;
  readonly #kept: KeptRoutes;
  #channel: Channel | undefined;
  #flushing = false;
  /** Families of which the peer has sent all. */
  readonly #complete = new Set<RoutedFamily>();
  /** Families that the peer sends again, between its marks. */
  readonly #resent = new Set<RoutedFamily>();

  constructor(options: PeerRoutesOptions) {
    this.#options = options;
    const { table, peer, clock } = options;
    this.#kept = new KeptRoutes(clock, {
      sweep: (family) => table.sweepStale(peer, family),
      keepLongLived: (family) => table.keepLongLived(peer, family),
    });
  }

  /** Families of which the peer has sent all that it had when the session came up. */
  get complete(): readonly RoutedFamily[] {
    return [...this.#complete];
  }

  /** Families whose routes are kept for a peer that is away. */
  get stale(): KeptRoutes['families'] {
    return this.#kept.families;
  }

  open(): Open {
    return this.#options.open();
  }

  up(channel: Channel, negotiated: Negotiated): void {
    const { table, peer } = this.#options;
    const { local, remote } = channel.connection;
    this.#channel = channel;
    const { asn, routerId } = channel.theirs!;
    table.peerUp(peer, { negotiated, localAddress: local.address, remoteAddress: remote.address, remoteAs: asn, remoteRouterId: routerId });
    this.#kept.back(negotiated);
    this.flush();
  }

  update(body: Uint8Array): void {
    const { table, parseUpdate, peer } = this.#options;
    const update = parseUpdate(body, this.#channel!.negotiated!);
    if (table.receive(peer, update) === 'max-prefixes-exceeded') {
      throw new BgpError({ code: CODE.cease, subcode: CEASE.maxPrefixes, reason: 'the peer sent more prefixes than it may' });
    }
    if (update.endOfRib === undefined) return;
    this.#complete.add(update.endOfRib);
    table.endOfRib(peer, update.endOfRib);
    this.#kept.endOfRib(update.endOfRib);
    this.#options.onComplete();
  }

  refresh(body: Uint8Array): void {
    const { table, peer } = this.#options;
    const { family, subtype } = parseRouteRefresh(body);
    if (subtype !== 'request' && !this.#channel?.negotiated?.enhancedRouteRefresh) return;
    if ((subtype === 'begin' || subtype === 'end') && body.length !== REFRESH_BYTES) throw refreshLength(body);
    if (family === undefined) return;
    if (subtype === 'request') table.refresh(peer, family);
    else if (subtype === 'begin') {
      this.#resent.add(family);
      table.markStale(peer, family);
    } else if (subtype === 'end' && this.#resent.delete(family)) table.sweepStale(peer, family);
  }

  writable(): void {
    this.#send();
  }

  down(end: SessionEnd, negotiated: Negotiated): void {
    const { table, peer } = this.#options;
    this.#channel = undefined;
    this.#complete.clear();
    this.#resent.clear();
    const keep = keepsRoutes(end, negotiated);
    table.peerDown(peer, keep ? 'keep-stale' : 'withdraw');
    if (keep) this.#kept.keep(negotiated);
    else this.#kept.forget();
  }

  /** The peer is no longer configured. */
  forget(): void {
    this.#kept.forget();
  }

  /** There is something to send. It waits for the end of this turn, so that what changes together goes out together. */
  flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#send();
    });
  }

  #send(): void {
    const { clock, peer, table } = this.#options;
    const end = clock.now() + SLICE_MS;
    while (this.#channel?.writable) {
      const bytes = table.nextUpdates(peer, WRITE_BYTES);
      if (bytes === undefined) return;
      this.#channel.send(bytes);
      if (clock.now() < end) continue;
      clock.after(0, () => this.#send()); // Others have their turn; a second such timer would find nothing to do.
      return;
    }
  }
}

/** RFC 7313 §5. */
function refreshLength(body: Uint8Array): BgpError {
  const data = frame(MESSAGE_TYPE.routeRefresh, body);
  return new BgpError({ code: CODE.refresh, subcode: 1, data, reason: `a ROUTE-REFRESH has a body of ${body.length} bytes` });
}
