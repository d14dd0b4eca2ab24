import { CodedError, defineError, type Random } from '@isthmus/core';
import type { IdentityRegistry } from './identity-registry.ts';

export const IDENTITY_EXHAUSTED = defineError(
  'IDENTITY_EXHAUSTED',
  'No numeric identity is free in the range of this cluster.',
  'Use fewer distinct label sets: keep labels that differ per pod out of identities. Unused numbers come back an hour after their last use.',
);

/** Numbers that a cluster may give, both ends included. */
export interface IdentityRange {
  readonly min: number;
  readonly max: number;
}

/** Attempts at other numbers before the range counts as exhausted. */
const MAX_ATTEMPTS = 4096;

/**
 * Gives label sets their numbers. All allocators of a cluster work on one registry and agree through its transactions: the same labels get
 * the same number everywhere, whoever comes first.
 */
export class IdentityAllocator {
  readonly #registry: IdentityRegistry;
  readonly #range: IdentityRange;
  readonly #random: Random;
  /** Numbers that came back with other labels: they are not used again by this process. */
  readonly #quarantined = new Set<number>();

  constructor(registry: IdentityRegistry, range: IdentityRange, random: Random) {
    this.#registry = registry;
    this.#range = range;
    this.#random = random;
  }

  /**
   * The number of these labels.
   * @throws CodedError IDENTITY_EXHAUSTED, or what the registry throws
   */
  async allocate(labels: string): Promise<number> {
    const known = await this.#registry.find(labels);
    if (known !== undefined && !this.#quarantined.has(known)) return known;
    const span = this.#range.max - this.#range.min + 1;
    // A random start keeps allocators that race for different labels from trying the same numbers.
    const start = Math.floor(this.#random() * span);
    for (let i = 0; i < Math.min(span, MAX_ATTEMPTS); i++) {
      const id = this.#range.min + ((start + i) % span);
      if (this.#quarantined.has(id)) continue;
      const result = await this.#registry.create(id, labels);
      if (result.outcome === 'created') return id;
      if (result.outcome === 'exists') return result.id;
    }
    const object = `${this.#range.min}-${this.#range.max}`;
    throw new CodedError(IDENTITY_EXHAUSTED, `no identity is free in ${object}`, { object });
  }

  /**
   * Makes sure that a number in use still stands for these labels: creates it again when it vanished (an etcd restored from an older state),
   * and gives another when it came back with other labels.
   */
  async keep(id: number, labels: string): Promise<number> {
    const there = await this.#registry.labelsOf(id);
    if (there === labels) return id;
    if (there === undefined) {
      const result = await this.#registry.create(id, labels);
      if (result.outcome === 'created') return id;
      if (result.outcome === 'exists') return result.id;
    }
    this.#quarantined.add(id);
    return this.allocate(labels);
  }
}
