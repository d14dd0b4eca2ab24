import type { Clock } from '@isthmus/core';
import type { Negotiated } from '../capability/negotiated.ts';
import { BgpError } from '../error/bgp-error.ts';
import type { Open } from '../message/open.ts';
import { parseRouteRefresh } from '../message/route-refresh.ts';
import type { Channel } from './channel.ts';
import { KeptRoutes, keepsRoutes } from './kept-routes.ts';
import type { SessionRoutes } from './peer-session.ts';
import { CEASE, CODE, type SessionEnd } from './session-end.ts';
import type { SessionTable, UpdateParser } from './session-table.ts';

/** Most bytes that are asked of the table at a time: what a socket's buffer takes at once. */
const WRITE_BYTES = 65_536;
/** Longest time that one turn of the loop spends on sending to one peer, in milliseconds. */
const SLICE_MS = 5;

/** What {@link PeerRoutes} needs. */
export interface PeerRoutesOptions {
  readonly table: SessionTable;
  readonly parseUpdate: UpdateParser;
  /** The peer's number in the table. */
  readonly peer: number;
  readonly clock: Clock;
  /** The OPEN to send now. */
  readonly open: () => Open;
}

/** Ties a session to the table: what comes in goes there at once, what goes out is pulled from it while the socket takes bytes. */
export class PeerRoutes implements SessionRoutes {
  readonly #options: PeerRoutesOptions;
  readonly #kept: KeptRoutes;
  #channel: Channel | undefined;
  #flushing = false;

  constructor(options: PeerRoutesOptions) {
    this.#options = options;
    const { table, peer, clock } = options;
    this.#kept = new KeptRoutes(clock, { sweep: (family) => table.sweepStale(peer, family) });
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
    table.endOfRib(peer, update.endOfRib);
    this.#kept.endOfRib(update.endOfRib);
  }

  refresh(body: Uint8Array): void {
    const { family, subtype } = parseRouteRefresh(body);
    // The others frame a peer's own answer (RFC 7313 §4), or are of nobody's.
    if (family !== undefined && subtype === 'request') this.#options.table.refresh(this.#options.peer, family);
  }

  writable(): void {
    this.#send();
  }

  down(end: SessionEnd, negotiated: Negotiated): void {
    const { table, peer } = this.#options;
    this.#channel = undefined;
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
