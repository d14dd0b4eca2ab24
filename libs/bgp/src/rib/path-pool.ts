import { widened } from './column.ts';

/** Bits of {@link PathPool.flags}. */
export const PATH_FLAG = { stale: 1, longLived: 2, used: 4 } as const;

/** Paths of one family: one per peer, prefix and path identifier. They are the Adj-RIBs-In (RFC 4271 §3.2), chained by prefix. */
export class PathPool {
  #capacity = 1024;
  #next = 1;
  #freed = 0;
  /** Columns by path number. Replaced when they grow: do not keep. */
  peer = new Uint16Array(1024);
  /** As received. */
  raw = new Int32Array(1024);
  /** After import policy; 0 when it is not to be used. */
  set = new Int32Array(1024);
  prefix = new Int32Array(1024);
  next = new Int32Array(1024);
  /** RFC 7911; 0 without ADD-PATH. */
  identifier = new Uint32Array(1024);
  flags = new Uint8Array(1024);
  /** Session of the peer that it came in, counted. */
  epoch = new Uint16Array(1024);

  /** All numbers given out are below. */
  get end(): number {
    return this.#next;
  }

  add(peer: number, prefix: number, identifier: number): number {
    let path = this.#freed;
    if (path !== 0) this.#freed = this.next[path]!;
    else path = this.#next++;
    if (path >= this.#capacity) this.#grow();
    this.peer[path] = peer;
    this.prefix[path] = prefix;
    this.identifier[path] = identifier;
    this.raw[path] = this.set[path] = this.next[path] = 0;
    this.flags[path] = PATH_FLAG.used;
    return path;
  }

  release(path: number): void {
    this.flags[path] = 0;
    this.next[path] = this.#freed;
    this.#freed = path;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.peer = widened(this.peer, this.#capacity);
    this.raw = widened(this.raw, this.#capacity);
    this.set = widened(this.set, this.#capacity);
    this.prefix = widened(this.prefix, this.#capacity);
    this.next = widened(this.next, this.#capacity);
    this.identifier = widened(this.identifier, this.#capacity);
    this.flags = widened(this.flags, this.#capacity);
    this.epoch = widened(this.epoch, this.#capacity);
  }
}
