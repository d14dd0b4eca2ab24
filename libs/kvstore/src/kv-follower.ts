import { type Clock, messageOf, type Random } from '@isthmus/core';
import { holdSweeps } from './held-sweep.ts';
import type { KvEntry, KvStore } from './kvstore.ts';
import { type MirrorChange, type MirrorOptions, type MirrorOrigin, mirrorPrefix } from './mirror.ts';

/** Who hears of a followed prefix. Calls come one at a time. */
export interface FollowHandlers {
  onBatch(changes: readonly MirrorChange[], origin: MirrorOrigin): void;
  onSynced(): void;
  onDisconnected(error: unknown): void;
}

/** How a prefix is followed. */
export interface FollowOptions {
  /** See {@link MirrorOptions.maxKeys}. */
  maxKeys?: number;
  /** What a wiped or restored store lacks is kept for a while, see {@link holdSweeps}; as soon as it is seen gone unless given. */
  holdLost?: boolean;
}

/** What a follower needs. */
export interface KvFollowerOptions {
  kv: KvStore;
  /** As configured, for status. */
  endpoints: readonly string[];
  clock: Clock;
  random: Random;
  /** A handler threw: that prefix is followed no more. */
  onFailed: (prefix: string, error: unknown) => void;
}

/** A store as importers see it: prefixes that are followed until closed, single keys, and how the connection is. */
export class KvFollower {
  readonly #options: KvFollowerOptions;
  #connected = false;
  #error: string | undefined;

  constructor(options: KvFollowerOptions) {
    this.#options = options;
  }

  /** How the connection is, by what followers last heard. */
  status(): { endpoints: readonly string[]; connected: boolean; error?: string } {
    return {
      endpoints: this.#options.endpoints,
      connected: this.#connected,
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }

  get(key: string): Promise<KvEntry | undefined> {
    return this.#options.kv.get(key);
  }

  /** Follows every key that starts with `prefix` until closed. */
  mirror(prefix: string, handlers: FollowHandlers, { maxKeys, holdLost }: FollowOptions = {}): { close(): void } {
    const stop = new AbortController();
    const { kv, clock, random, onFailed } = this.#options;
    const told = holdLost ? holdSweeps(handlers, { clock, signal: stop.signal }) : undefined;
    const running = mirrorPrefix(kv, {
      prefix,
      clock,
      random,
      signal: stop.signal,
      ...(maxKeys !== undefined && { maxKeys }),
      ...(told && { onRelist: told.onRelist }),
      onBatch: (changes, revision, origin) => {
        if (stop.signal.aborted) return;
        if (told) return told.onBatch(changes, revision, origin);
        handlers.onBatch(changes, origin);
      },
      onSynced: (revision) => {
        [this.#connected, this.#error] = [true, undefined];
        if (stop.signal.aborted) return;
        if (told) return told.onSynced(revision);
        handlers.onSynced();
      },
      onDisconnected: (error) => {
        [this.#connected, this.#error] = [false, messageOf(error)];
        if (!stop.signal.aborted) handlers.onDisconnected(error);
      },
    });
    running.catch((error: unknown) => onFailed(prefix, error));
    return { close: () => stop.abort() };
  }
}
