import { isDeepStrictEqual } from 'node:util';
import type { SinkFailures, SinkRow, SinkTarget } from '@isthmus/core';
import type { BgpInstanceRow, BgpPeerRow, BgpRouteRow } from './bgp-rows.ts';
import { EntrySets } from './entry-sets.ts';
import { RunningSpeaker, type SpeakerParts } from './running-speaker.ts';

/** Who hears of speakers that come and go. */
export interface SpeakerListener {
  started(speaker: RunningSpeaker): void;
  removed(name: string): void;
}

/**
 * Makes the speakers of this node equal to three tables: instances, own routes, peers. In that order, so that a peer which kept the routes of an
 * earlier run hears all of them before it hears that there are no more.
 */
export class BgpSpeakers {
  readonly #parts: SpeakerParts;
  readonly #listener: SpeakerListener;
  readonly #running = new Map<string, RunningSpeaker>();
  readonly #sets = new EntrySets();
  /** Set of entries by prefix. */
  readonly #routes = new Map<string, number>();
  /** Peers by key, those of instances that do not run, too. */
  readonly #peers = new Map<string, BgpPeerRow>();
  #draining = false;

  constructor(parts: SpeakerParts, listener: SpeakerListener) {
    this.#parts = parts;
    this.#listener = listener;
  }

  /** Speakers by name. */
  get running(): ReadonlyMap<string, RunningSpeaker> {
    return this.#running;
  }

  /** Entries of advertisements by the number that own routes carry. */
  get entrySets(): EntrySets['all'] {
    return this.#sets.all;
  }

  /** Whether peers are told to prefer other ways. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Tells all peers to prefer other ways (RFC 8326), or takes that back. */
  setDraining(draining: boolean): void {
    this.#draining = draining;
    for (const { rib } of this.#running.values()) rib.setDraining(draining);
  }

  /** The sink of instances. */
  readonly instances: SinkTarget<BgpInstanceRow> = {
    update: (rows) => forEach(rows, ({ key, row }) => this.#start(key, row)),
    delete: (keys) =>
      forEach(
        keys.map((key) => ({ key })),
        ({ key }) => this.#remove(key),
      ),
  };

  /** The sink of own routes. */
  readonly routes: SinkTarget<BgpRouteRow> = {
    update: (rows) => this.#originate(rows),
    delete: (keys) => this.#withdraw(keys),
  };

  /** The sink of named peers. */
  readonly peers: SinkTarget<BgpPeerRow> = {
    update: (rows) => forEach(rows, async ({ key, row }) => this.#setPeer(key, row)),
    delete: (keys) =>
      forEach(
        keys.map((key) => ({ key })),
        async ({ key }) => this.#removePeer(key),
      ),
  };

  /** Leaves all peers without a word: those with graceful restart keep the routes. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ speaker }) => speaker.stop()));
    this.#running.clear();
  }

  async #start(name: string, row: BgpInstanceRow): Promise<void> {
    const old = this.#running.get(name);
    if (old !== undefined && isDeepStrictEqual(old.row, row)) return;
    await this.#remove(name);
    const speaker = new RunningSpeaker(name, row, this.#sets.all, this.#parts);
    if (this.#draining) speaker.rib.setDraining(true);
    for (const [prefix, set] of this.#routes) speaker.originate(prefix, set);
    await speaker.speaker.start();
    this.#running.set(name, speaker);
    this.#listener.started(speaker);
    for (const peer of this.#peers.values()) if (peer.instance === name) speaker.setPeer(peer, this.#sets.all);
  }

  async #remove(name: string): Promise<void> {
    const speaker = this.#running.get(name);
    if (speaker === undefined) return;
    this.#running.delete(name);
    this.#listener.removed(name);
    await speaker.speaker.remove();
  }

  #originate(rows: readonly SinkRow<BgpRouteRow>[]): undefined {
    const numbered = rows.map(({ key, row }) => ({ prefix: key, ...this.#sets.numberOf(row.entries) }));
    if (numbered.some(({ isNew }) => isNew)) for (const speaker of this.#running.values()) speaker.setEntries(this.#sets.all);
    for (const { prefix, number } of numbered) {
      this.#routes.set(prefix, number);
      for (const speaker of this.#running.values()) speaker.originate(prefix, number);
    }
  }

  #withdraw(prefixes: readonly string[]): undefined {
    for (const prefix of prefixes) {
      this.#routes.delete(prefix);
      for (const { rib } of this.#running.values()) rib.withdraw(prefix);
    }
  }

  /** A peer of an instance that does not run waits for it. */
  #setPeer(key: string, row: BgpPeerRow): void {
    this.#peers.set(key, row);
    this.#running.get(row.instance)?.setPeer(row, this.#sets.all);
  }

  #removePeer(key: string): void {
    const row = this.#peers.get(key);
    this.#peers.delete(key);
    if (row !== undefined) this.#running.get(row.instance)?.removePeer(row.name);
  }
}

/** Does something with each row; one that fails does not keep the others. */
async function forEach<R extends { readonly key: string }>(rows: readonly R[], fn: (row: R) => Promise<void>): Promise<SinkFailures> {
  const failures = new Map<string, unknown>();
  for (const row of rows) await fn(row).catch((error: unknown) => failures.set(row.key, error));
  return failures;
}
