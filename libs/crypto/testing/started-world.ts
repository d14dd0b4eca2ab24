import { seededRandom } from '@isthmus/core';
import { RotationWorld, type WorldOptions } from './rotation-world.ts';

/** Milliseconds. */
export const MINUTE_MS = 60_000;

/** A mesh whose stores take a second. @param count nodes, or nodes of each cluster */
export const world = (count: number | Record<string, number>, seed: number, options: Partial<WorldOptions> = {}): RotationWorld =>
  new RotationWorld(typeof count === 'number' ? { east: count } : count, {
    random: seededRandom(seed),
    storeDelayMs: 1_000,
    crashes: 0,
    failures: 0,
    paceMs: 500,
    drainMs: 3_000,
    maxOverlapMs: 20_000,
    ...options,
  });

/** One that has keys of the first epoch. */
export function started(count: number, seed: number, options: Partial<WorldOptions> = {}): RotationWorld {
  const made = world(count, seed, options);
  made.target = 1;
  if (made.until(() => made.isSettled(), MINUTE_MS) === undefined) throw new Error('a mesh did not come to its first epoch');
  return made;
}
