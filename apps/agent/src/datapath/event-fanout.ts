import { decodeDatapathEvent, describeEvent, type EventDescription, type RingBuffer } from '@isthmus/datapath';

/** Hears of each event. */
export type EventListener = (event: EventDescription) => void;

/** Reads the ring of the datapath's events and tells whoever listens. Without listeners, events are taken out unread. */
export class EventFanout {
  readonly #listeners = new Set<EventListener>();

  /** @param ring the agent is its only reader */
  start(ring: RingBuffer, onError: (error: unknown) => void): void {
    ring.start((record) => {
      if (this.#listeners.size === 0) return;
      const event = describeEvent(decodeDatapathEvent(record));
      for (const listener of this.#listeners) listener(event);
    }, onError);
  }

  /** @returns how to stop listening */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
