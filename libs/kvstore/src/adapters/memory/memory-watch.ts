import type { KvWatchResponse } from '../../kvstore.ts';

/** The queue between a server that pushes and a reader that pulls. Ends by an error, or silently. */
export class MemoryWatch implements AsyncIterable<KvWatchResponse> {
  readonly #queue: KvWatchResponse[] = [];
  #end: { error?: Error } | undefined;
  #wake: () => void = () => undefined;
  readonly #onEnd: () => void;

  /** `onEnd` is called once the reader is gone. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  push(response: KvWatchResponse): void {
    this.#queue.push(response);
    this.#wake();
  }

  /** Ends the watch after what is queued; with an error, or silently. */
  end(error?: Error): void {
    this.#end ??= error ? { error } : {};
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<KvWatchResponse> {
    try {
      for (;;) {
        const next = this.#queue.shift();
        if (next) yield next;
        else if (!this.#end) await new Promise<void>((resolve) => (this.#wake = resolve));
        else if (this.#end.error) throw this.#end.error;
        else return;
      }
    } finally {
      this.#onEnd();
    }
  }
}
