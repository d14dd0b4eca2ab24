import type { Clock } from '../clock.ts';
import { Notifier } from '../notifier.ts';
import type { Random } from '../random.ts';
import type { Store } from '../table/store.ts';
import { Sink, type SinkContext, type SinkOptions } from './sink.ts';

/** All sinks of a process. */
export class SinkGroup {
  readonly #context: SinkContext;
  readonly #sinks: Sink<unknown>[] = [];

  constructor(store: Store, clock: Clock, random: Random, yieldToLoop: () => Promise<void>, report?: SinkContext['report']) {
    this.#context = { store, clock, random, yield: yieldToLoop, report, progress: new Notifier() };
  }

  /** Declares a sink; sinks that it comes after must be declared before it, so orders cannot form a circle. */
  add<V>(options: SinkOptions<V>): Sink<V> {
    const sink = new Sink<V>(options, this.#context);
    this.#sinks.push(sink as Sink<unknown>);
    return sink;
  }

  /** Every sink, in order of declaration. */
  all(): readonly Sink<unknown>[] {
    return this.#sinks;
  }

  /** The outside is not what it was: every sink applies everything once more ({@link Sink.redo}). */
  redo(): void {
    for (const sink of this.#sinks) sink.redo();
  }

  /** Runs all sinks until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.run(signal)));
  }

  /** Resolves when every sink has tried everything up to `revision`. */
  done(revision: number, signal?: AbortSignal): Promise<void> {
    return this.#context.progress.until(() => this.#sinks.every((sink) => sink.doneRevision >= revision), signal);
  }
}
