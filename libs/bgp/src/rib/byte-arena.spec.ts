import { seededRandom } from '@isthmus/core';
import { ByteArena } from './byte-arena.ts';

/** Lengths around the borders of units, and none at all. */
const LENGTHS = [0, 1, 7, 8, 9, 100, 4096];

it('keeps spans apart, whatever is freed and taken again', () => {
  const random = seededRandom(20_261_128);
  const arena = new ByteArena();
  const held: { address: number; length: number; mark: number }[] = [];
  const bytes = ({ address, length }: { address: number; length: number }): Uint8Array =>
    arena.block(address).subarray(arena.offset(address), arena.offset(address) + length);
  for (let step = 0; step < 20_000; step++) {
    if (held.length > 0 && random() < 0.45) {
      const [one] = held.splice(Math.floor(random() * held.length), 1);
      expect(bytes(one!).every((byte) => byte === one!.mark)).toBe(true);
      arena.give(one!.address, one!.length);
      continue;
    }
    const length = LENGTHS[Math.floor(random() * LENGTHS.length)]!;
    const span = { address: arena.take(length), length, mark: step & 255 };
    bytes(span).fill(span.mark);
    held.push(span);
  }
  for (const one of held) expect(bytes(one).every((byte) => byte === one.mark)).toBe(true);
});

it('gives freed spans again, the last one first, to those that need as many units', () => {
  const arena = new ByteArena();
  const [a, b, c] = [arena.take(20), arena.take(24), arena.take(8)];
  arena.give(a, 20);
  arena.give(b, 24);
  arena.give(c, 8);
  expect([arena.take(17), arena.take(1), arena.take(24)]).toEqual([b, c, a]);
  expect([a, b, c]).not.toContain(arena.take(24));
});
