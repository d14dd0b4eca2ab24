import type { FamilyTable } from './family-table.ts';
import { PATH_FLAG } from './path-pool.ts';
import type { Outgoing } from './rib-peer.ts';

/** A path that is passed over costs so much less than one that something is done with. */
const SCAN = 32;

/** What is done with a peer's paths: those of sessions up to the one that ended. */
export type PathWork = 'withdraw' | 'mark-stale' | 'keep-long-lived' | 'sweep' | 'reimport';

/** A walk over a table, in parts. */
export type Walk = { readonly peer: number; readonly table: FamilyTable; at: number } & (
  | { readonly kind: PathWork; readonly epoch: number }
  /** What the peer was told is forgotten. */
  | { readonly kind: 'forget'; readonly out: Outgoing }
);

/** What a walk's owner does at each stop. */
export interface WalkSteps {
  /** A path of the walk's peer. */
  path(table: FamilyTable, path: number, kind: PathWork, peer: number): void;
  /** A prefix that the peer was told, or was to be. */
  forget(table: FamilyTable, prefix: number, out: Outgoing): void;
  /** The last walk of a peer has ended. */
  done(peer: number): void;
}

/** Long work on a route table, one after another, a part at a time: what a peer sent or was told may be all there is. */
export class Walks {
  readonly #steps: WalkSteps;
  readonly #queue: Walk[] = [];

  constructor(steps: WalkSteps) {
    this.#steps = steps;
  }

  /** Puts a walk at the end. */
  push(walk: Walk): void {
    this.#queue.push(walk);
  }

  /** Goes on, with at most that many steps. @returns whether there is more to do */
  advance(steps: number): boolean {
    const walk = this.#queue[0];
    if (walk === undefined) return false;
    const end = walk.kind === 'forget' ? this.#forget(walk, walk.out, steps) : this.#paths(walk, steps);
    if (walk.at >= end) {
      this.#queue.shift();
      if (!this.#queue.some(({ peer }) => peer === walk.peer)) this.#steps.done(walk.peer);
    }
    return this.#queue.length > 0;
  }

  #paths(walk: Extract<Walk, { kind: PathWork }>, steps: number): number {
    const { kind, peer, table, epoch } = walk;
    const { paths } = table;
    const stop = walk.at + steps * SCAN;
    for (let left = steps; walk.at < paths.end && walk.at < stop && left > 0; walk.at++) {
      const flags = paths.flags.get(walk.at);
      if ((flags & PATH_FLAG.used) === 0 || paths.peer.get(walk.at) !== peer || isLater(paths.epoch(walk.at), epoch)) continue;
      if ((kind === 'sweep' || kind === 'keep-long-lived') && (flags & PATH_FLAG.stale) === 0) continue;
      this.#steps.path(table, walk.at, kind, peer);
      left--;
    }
    return paths.end;
  }

  #forget(walk: Walk, out: Outgoing, steps: number): number {
    const { prefixes } = walk.table;
    const stop = walk.at + steps * SCAN;
    for (let left = steps; walk.at < prefixes.end && walk.at < stop && left > 0; walk.at++) {
      if (out.sent.get(walk.at) === 0 && !out.dirty.has(walk.at)) continue;
      this.#steps.forget(walk.table, walk.at, out);
      left--;
    }
    return prefixes.end;
  }
}

/** Sessions are counted in 16 bits, and go round. */
function isLater(epoch: number, than: number): boolean {
  return epoch !== than && ((epoch - than) & 0xffff) < 0x8000;
}
