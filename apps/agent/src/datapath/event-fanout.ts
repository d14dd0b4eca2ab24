import { decodeDatapathEvent, describeEvent, type EventDescription, type RingBuffer } from '@isthmus/datapath';

/** Hears of each event. */
export type EventListener = (event: EventDescription) => void;

/** What the fan-out needs of a ring. */
export type EventRing = Pick<RingBuffer, 'drain' | 'start' | 'close'>;

/**
 * Tells whoever listens of the datapath's events. The ring is mapped only while somebody does: it counts 8 MB of the agent's memory. Without
 * a reader it fills up, and the kernel drops further events.
 */
export class EventFanout {
  readonly #listeners = new Set<EventListener>();
  #open: (() => EventRing) | undefined;
  #onError: (error: unknown) => void = () => undefined;
  #ring: EventRing | undefined;

  /** @param open maps the ring, of which the agent is the only reader */
  start(open: () => EventRing, onError: (error: unknown) => void): void {
    this.#open = open;
    this.#onError = onError;
    if (this.#listeners.size > 0) this.#read();
  }

  /** Ends reading, whoever listens. */
  stop(): void {
    this.#open = undefined;
    this.#close();
  }

  /** @returns how to stop listening */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    this.#read();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#close();
    };
  }

  #read(): void {
    if (this.#ring || !this.#open) return;
    const ring = this.#open();
    this.#ring = ring;
    // What was left while nobody listened is old.
    ring.drain(() => undefined);
    ring.start((record) => {
      const event = describeEvent(decodeDatapathEvent(record));
      for (const listener of this.#listeners) listener(event);
    }, this.#onError);
  }

  #close(): void {
    this.#ring?.close();
    this.#ring = undefined;
  }
}
