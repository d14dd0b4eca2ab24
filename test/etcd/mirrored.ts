import { systemClock, systemRandom } from '@isthmus/core';
import { type KvStore, type MirrorChange, type MirrorOrigin, mirrorPrefix } from '@isthmus/kvstore';

const POLL_MS = 10;

/** Waits for a condition; fails with its text after `withinMs`. */
export async function until(condition: () => boolean, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`did not come true within ${withinMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** What must be in the store, kept by whoever writes, and how it is written. */
export class Truth {
  readonly content = new Map<string, string>();
  readonly #kv: KvStore;

  constructor(kv: KvStore) {
    this.#kv = kv;
  }

  async put(key: string, value: string): Promise<void> {
    await this.#kv.put(`p/${key}`, value);
    this.content.set(`p/${key}`, value);
  }

  async delete(key: string): Promise<void> {
    this.content.delete(`p/${key}`);
    await this.#kv.delete(`p/${key}`);
  }

  /** Writes of others: they move the store's revision on. */
  async others(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, i) => this.#kv.put(`q/${i}`, 'x')));
  }
}

/** A mirror of `p/` that knows whether a deletion it hears of is right. */
export class Mirrored {
  readonly content = new Map<string, string>();
  readonly wrongDeletes: string[] = [];
  /** `disconnected`, `relist <reason>`, `synced`, and the origin of each batch. */
  readonly said: string[] = [];
  readonly #truth: Truth;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(kv: KvStore, truth: Truth) {
    this.#truth = truth;
    this.#done = mirrorPrefix(kv, {
      prefix: 'p/',
      clock: systemClock,
      random: systemRandom,
      signal: this.#stop.signal,
      onBatch: (changes, _, origin) => this.#take(changes, origin),
      onSynced: () => void this.said.push('synced'),
      onDisconnected: () => void this.said.push('disconnected'),
      onRelist: (reason) => void this.said.push(`relist ${reason}`),
      backoff: { minMs: 100, maxMs: 1_000 },
    });
  }

  /** True when it holds exactly what must be in the store. */
  get right(): boolean {
    const { content } = this.#truth;
    return this.content.size === content.size && [...content].every(([key, value]) => this.content.get(key) === value);
  }

  get synced(): boolean {
    return this.said.at(-1) === 'synced';
  }

  /** What was said since this was last asked, each thing once. */
  news(): Set<string> {
    return new Set(this.said.splice(0));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  #take(changes: readonly MirrorChange[], origin: MirrorOrigin): void {
    this.said.push(origin);
    for (const { key, value } of changes) {
      if (value) this.content.set(key, Buffer.from(value).toString());
      else if (this.#truth.content.has(key)) this.wrongDeletes.push(key);
      if (!value) this.content.delete(key);
    }
  }
}
