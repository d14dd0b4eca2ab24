import { CodedError, defineError, type Random } from '@isthmus/core';
import type { IdentityRegistry } from './identity-registry.ts';

export const IDENTITY_EXHAUSTED = defineError(
  'IDENTITY_EXHAUSTED',
  'No numeric identity is free in the range of this cluster.',
  'Use fewer distinct label sets: keep labels that differ per pod out of identities. Unused numbers come back an hour after their last use.',
);

/** Numbers that a cluster may give, both ends included. */
export interface IdentityRange {
  /** Whose they are, for people. */
  readonly cluster: string;
  readonly min: number;
  readonly max: number;
}

/** Numbers that are tried blindly. In a range that is half full, all of them are taken once in 65,536 times. */
const BLIND_ATTEMPTS = 16;

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
    const id = (await this.#tryBlindly(labels)) ?? (await this.#tryFree(labels));
    if (id !== undefined) return id;
    const { cluster, min, max } = this.#range;
    const object = `${min}-${max}`;
    throw new CodedError(IDENTITY_EXHAUSTED, `no identity is free in ${object}, the range of cluster ${cluster}`, { object });
  }

  /** Random numbers: allocators that race for different labels seldom meet, and nothing is listed while there is room. */
  async #tryBlindly(labels: string): Promise<number | undefined> {
    const { min, max } = this.#range;
    for (let i = 0; i < BLIND_ATTEMPTS; i++) {
      const id = await this.#try(min + Math.floor(this.#random() * (max - min + 1)), labels);
      if (id !== undefined) return id;
    }
    return undefined;
  }

  /** What was free a moment ago, from a random start. Whoever takes one of these meanwhile takes it from a range with room. */
  async #tryFree(labels: string): Promise<number | undefined> {
    const { min, max } = this.#range;
    const taken = await this.#registry.taken();
    const free: number[] = [];
    for (let id = min; id <= max; id++) if (!taken.has(id)) free.push(id);
    const start = Math.floor(this.#random() * free.length);
    for (let i = 0; i < free.length; i++) {
      const id = await this.#try(free[(start + i) % free.length] as number, labels);
      if (id !== undefined) return id;
    }
    return undefined;
  }

  /** The number of the labels after an attempt at this one; undefined when they have none yet. */
  async #try(id: number, labels: string): Promise<number | undefined> {
    if (this.#quarantined.has(id)) return undefined;
    const result = await this.#registry.create(id, labels);
    if (result.outcome === 'created') return id;
    return result.outcome === 'exists' ? result.id : undefined;
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
