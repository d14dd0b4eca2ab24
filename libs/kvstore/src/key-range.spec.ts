import fc from 'fast-check';
import { afterKey, prefixEnd, prefixRange, rangePrefix } from './key-range.ts';

const ALL = Buffer.from([0]);
const bytes = fc.uint8Array({ minLength: 1, maxLength: 6 }).map((b) => Buffer.from(b));
const inside = (key: Buffer, start: Buffer, end: Buffer): boolean =>
  Buffer.compare(key, start) >= 0 && (end.equals(ALL) || Buffer.compare(key, end) < 0);

describe('key ranges', () => {
  it('hold exactly the keys with the prefix', () => {
    fc.assert(
      fc.property(bytes, bytes, (prefix, key) => {
        const starts = key.subarray(0, prefix.length).equals(prefix);
        expect(inside(key, prefix, prefixEnd(prefix))).toBe(starts);
        expect(inside(Buffer.concat([prefix, key]), prefix, prefixEnd(prefix))).toBe(true);
      }),
      {
        examples: [
          [Buffer.from([0xff, 0xff]), Buffer.from([0xff])],
          [Buffer.from([1, 0xff]), Buffer.from([2])],
        ],
      },
    );
  });

  it('give their prefix back, and none where there is none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (prefix) => {
        const { start, end } = prefixRange(prefix);
        expect(rangePrefix(start, end)).toBe(prefix);
      }),
    );
    expect(rangePrefix(Buffer.from('a'), Buffer.from('c'))).toBeUndefined();
  });

  it('go on behind a key without skipping one', () => {
    expect(Buffer.compare(afterKey('a'), Buffer.from('a'))).toBe(1);
    expect(Buffer.compare(afterKey('a'), Buffer.from('a\u0000'))).toBe(0);
  });
});
