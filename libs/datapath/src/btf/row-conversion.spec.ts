import { rowConversion } from './row-conversion.ts';
import type { RowField, RowLayout } from './row-layout.ts';

const field = (path: string, offset: number, size: number, kind: RowField['kind'] = 'integer'): RowField => ({ path, offset, size, kind });
const layout = (size: number, ...fields: RowField[]): RowLayout => ({ size, fields });
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('a row of another layout', () => {
  it('keeps what has a name, wherever it moved; what is new is zero', () => {
    const from = layout(6, field('identity', 0, 4), field('flags', 4, 2));
    const to = layout(12, field('flags', 0, 2), field('cluster', 2, 2), field('identity', 8, 4));
    expect(rowConversion(from, to)?.(bytes(1, 2, 3, 4, 5, 6))).toEqual(bytes(5, 6, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4));
  });

  it('loses a field that is gone', () => {
    expect(rowConversion(layout(3, field('a', 0, 1), field('b', 1, 2)), layout(1, field('a', 0, 1)))?.(bytes(7, 8, 9))).toEqual(bytes(7));
  });

  it.each<[RowField['kind'], number[], number[]]>([
    ['integer', [1, 2], [1, 2, 0, 0]],
    ['big-endian', [1, 2], [0, 0, 1, 2]],
    ['bytes', [1, 2], [1, 2, 0, 0]],
  ])('may have a larger field: %s', (kind, small, large) => {
    const [two, four] = [layout(2, field('port', 0, 2, kind)), layout(4, field('port', 0, 4, kind))];
    expect(rowConversion(two, four)?.(bytes(...small))).toEqual(bytes(...large));
    expect(rowConversion(four, two)?.(bytes(...large))).toEqual(bytes(...small));
  });

  it('does not fit when a smaller field would lose something', () => {
    const shrink = rowConversion(layout(4, field('id', 0, 4)), layout(2, field('id', 0, 2)));
    expect(shrink?.(bytes(1, 2, 0, 1))).toBeUndefined();
  });

  it('is nobody’s to guess when a name stands for something else', () => {
    expect(rowConversion(layout(2, field('port', 0, 2)), layout(2, field('port', 0, 2, 'big-endian')))).toBeUndefined();
  });
});
