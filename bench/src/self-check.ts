import { createHash } from 'node:crypto';
import type { Bench } from './benches.ts';

const BLOCK = new Uint8Array(1 << 20);
const BLOCKS = 50;

/** Megabytes per second of SHA-256 on one core. */
async function hashRate(): Promise<number> {
  const start = performance.now();
  const hash = createHash('sha256');
  for (let i = 0; i < BLOCKS; i++) hash.update(BLOCK);
  hash.digest();
  return (BLOCKS * BLOCK.length) / 1e6 / ((performance.now() - start) / 1000);
}

/** The same work on both sides: a machine on which this is missed or inconclusive can judge nothing else. */
export const selfCheck: Bench = {
  name: 'self-check',
  about: 'is this machine quiet enough to judge anything',
  open: async () => ({
    cases: [
      {
        name: 'the same work twice',
        unit: 'MB/s',
        better: 'higher',
        noisy: true,
        goal: { must: 'be at least', value: 0.95 },
        rounds: 15,
        ours: hashRate,
        peer: hashRate,
      },
    ],
  }),
  remove: async () => {},
};
