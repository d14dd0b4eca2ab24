import type { BfdReport } from '@isthmus/bgp';

/** Counts sessions that failed although nothing was wrong with the way between their ends. */
export class FalseDowns {
  readonly #lost = new Map<string, boolean>();
  #count = 0;

  /** Takes what one end tells of a session. @param end tells the ends apart */
  take(end: string, { key, lost }: Pick<BfdReport, 'key' | 'lost'>): void {
    const name = `${end} ${key}`;
    if (lost && this.#lost.get(name) !== true) this.#count++;
    this.#lost.set(name, lost);
  }

  /** Failures since this was asked last. */
  since(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }
}
