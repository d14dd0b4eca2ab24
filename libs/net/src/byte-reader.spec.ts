import fc from 'fast-check';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

it('reads back what was written, in both byte orders', () => {
  const row = fc.tuple(
    fc.nat(0xff),
    fc.nat(0xffff),
    fc.nat(0xffffffff),
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.uint8Array({ maxLength: 300 }),
  );
  fc.assert(
    fc.property(row, ([a, b, c, d, e]) => {
      const bytes = new ByteWriter(1).u8(a).u16(b).u32(c).u64(d).u16Le(b).u32Le(c).u64Le(d).bytes(e).zeros(3).done();
      const reader = new ByteReader(bytes);
      expect([reader.u8(), reader.u16(), reader.u32(), reader.u64()]).toEqual([a, b, c, d]);
      expect([reader.u16Le(), reader.u32Le(), reader.u64Le()]).toEqual([b, c, d]);
      expect(reader.bytes(e.length)).toEqual(e);
      expect(reader.remaining).toBe(3);
    }),
  );
});

it('refuses to read past the end and says where it stood', () => {
  const reader = new ByteReader(Uint8Array.of(1, 2, 3));
  expect(reader.u16()).toBe(0x0102);
  expect(() => reader.u16()).toThrow('2 bytes wanted at offset 2, 1 left');
  expect(reader.offset).toBe(2);
});

it('confines a sub-reader to its bytes', () => {
  const reader = new ByteReader(Uint8Array.of(1, 2, 3, 4));
  const sub = reader.sub(2);
  reader.skip(1);
  expect(() => sub.u32()).toThrow(RangeError);
  expect(reader.u8()).toBe(4);
});

it('fills in a length afterwards, but only where something was written', () => {
  const writer = new ByteWriter().u16(0).u8(7);
  expect(writer.setU16(0, writer.length).done()).toEqual(Uint8Array.of(0, 3, 7));
  expect(() => writer.setU16(2, 1)).toThrow(RangeError);
});
