import { Records } from './records.ts';

/** Bits of {@link PathPool.flags}. */
export const PATH_FLAG = { stale: 1, longLived: 2, used: 4 } as const;
/** Above the bits is the session of the peer that the path came in, counted. */
const EPOCH_SHIFT = 8;

/** Paths of one family: one per peer, prefix and path identifier. They are the Adj-RIBs-In (RFC 4271 §3.2), chained by prefix. */
export class PathPool {
  readonly #records = new Records(8);
  #next = 1;
  #freed = 0;
  /** By path number. */
  readonly peer = this.#records.field();
  /** As received. */
  readonly raw = this.#records.field();
  /** After import policy; 0 when it is not to be used. */
  readonly set = this.#records.field();
  readonly prefix = this.#records.field();
  readonly next = this.#records.field();
  /** RFC 7911; 0 without ADD-PATH. */
  readonly identifier = this.#records.field();
  readonly flags = this.#records.field();
  /** Second since which it is as it is. */
  readonly since = this.#records.field();

  /** All numbers given out are below. */
  get end(): number {
    return this.#next;
  }

  add(peer: number, prefix: number, identifier: number): number {
    let path = this.#freed;
    if (path !== 0) this.#freed = this.next.get(path);
    else path = this.#next++;
    this.#records.reach(path);
    this.peer.set(path, peer);
    this.prefix.set(path, prefix);
    this.identifier.set(path, identifier);
    this.raw.set(path, 0);
    this.set.set(path, 0);
    this.next.set(path, 0);
    this.flags.set(path, PATH_FLAG.used);
    return path;
  }

  /** Session of the peer that it came in, counted. */
  epoch(path: number): number {
    return this.flags.get(path) >>> EPOCH_SHIFT;
  }

  /** It came in this session, and is not stale. */
  setEpoch(path: number, epoch: number): void {
    this.flags.set(path, PATH_FLAG.used | (epoch << EPOCH_SHIFT));
  }

  release(path: number): void {
    this.flags.set(path, 0);
    this.next.set(path, this.#freed);
    this.#freed = path;
  }
}
