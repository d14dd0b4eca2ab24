import type { Random } from '../random.ts';

/** The process's own randomness; good for jitter and id starts, never for keys. */
export const systemRandom: Random = () => Math.random();
