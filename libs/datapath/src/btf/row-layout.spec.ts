import { type BtfType, Kind } from './btf.ts';
import { layoutChanges, rowLayout, sameLayout } from './row-layout.ts';

const type = (kind: number, changes: Partial<BtfType> = {}): BtfType => ({
  kind,
  name: '',
  sizeOrType: 0,
  members: [],
  element: 0,
  length: 0,
  ...changes,
});
const member = (name: string, id: number, offset: number) => ({ name, type: id, value: offset * 8 });

/** `struct row { struct { u8 family; u8 pad; u8 addr[4]; } addr; const __be16 port; u32 id; }` */
const types = [
  type(0),
  type(Kind.int, { sizeOrType: 1 }),
  type(Kind.int, { sizeOrType: 2 }),
  type(Kind.int, { sizeOrType: 4 }),
  type(Kind.array, { element: 1, length: 4 }),
  type(Kind.struct, { sizeOrType: 6, members: [member('family', 1, 0), member('pad', 1, 1), member('addr', 4, 2)] }),
  type(Kind.typedef, { name: '__be16', sizeOrType: 2 }),
  type(Kind.const, { sizeOrType: 6 }),
  type(Kind.struct, { sizeOrType: 12, members: [member('addr', 5, 0), member('port', 7, 6), member('id', 3, 8)] }),
];

describe('the layout of a row', () => {
  it('names every value with its place, and leaves padding out', () => {
    expect(rowLayout(types, 8)).toEqual({
      size: 12,
      fields: [
        { path: 'addr.family', offset: 0, size: 1, kind: 'integer' },
        { path: 'addr.addr', offset: 2, size: 4, kind: 'bytes' },
        { path: 'port', offset: 6, size: 2, kind: 'big-endian' },
        { path: 'id', offset: 8, size: 4, kind: 'integer' },
      ],
    });
  });

  it('may be a single value', () => {
    expect(rowLayout(types, 3)).toEqual({ size: 4, fields: [{ path: '', offset: 0, size: 4, kind: 'integer' }] });
  });

  it('says what became of it', () => {
    const now = rowLayout(types, 8);
    const then = {
      size: 10,
      fields: [
        { ...now.fields[1]!, offset: 0 },
        { path: 'mode', offset: 4, size: 1, kind: 'integer' as const },
      ],
    };
    expect(sameLayout(now, then)).toBe(false);
    expect(sameLayout(now, rowLayout(types, 8))).toBe(true);
    expect(layoutChanges(then, now)).toEqual([
      'mode is gone',
      'addr.family is new',
      'port is new',
      'id is new',
      'addr.addr moves or grows',
      'size 10 becomes 12',
    ]);
  });

  it('of a type that is not there is an error', () => {
    expect(() => rowLayout(types, 99)).toThrow('there is no BTF type 99');
  });
});
