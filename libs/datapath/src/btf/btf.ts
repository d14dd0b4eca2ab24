/** Kinds of BTF types (Documentation/bpf/btf.rst of the kernel) that this reader tells apart. */
export const Kind = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  variable: 14,
} as const;

/** One type. `type` is the id that it refers to, where its kind refers to one; otherwise its size in bytes. */
export interface BtfType {
  kind: number;
  name: string;
  sizeOrType: number;
  /** Of a struct: offset in bits. Of an enum: value. */
  members: { name: string; type: number; value: number }[];
  /** Of an array. */
  element: number;
  length: number;
}

/** Bytes behind the common 12, per kind: fixed, or per member. */
const fixedBytes: Record<number, number> = { 1: 4, 3: 12, 14: 4, 17: 4 };
const memberBytes: Record<number, number> = { 4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12 };

/** The text at an offset, up to its zero byte. */
export function cString(bytes: Uint8Array, offset: number): string {
  return Buffer.from(bytes.subarray(offset, bytes.indexOf(0, offset))).toString('utf8');
}

/** Reads a `.BTF` section, or what the kernel shows of one. The index is the type's id; 0 is void. */
export function parseBtf(section: Uint8Array): BtfType[] {
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  if (view.getUint16(0, true) !== 0xeb9f) throw new Error('not a BTF section');
  const header = view.getUint32(4, true);
  const types = header + view.getUint32(8, true);
  const end = types + view.getUint32(12, true);
  const strings = section.subarray(header + view.getUint32(16, true));
  const result: BtfType[] = [{ kind: 0, name: 'void', sizeOrType: 0, members: [], element: 0, length: 0 }];
  for (let at = types; at < end; ) {
    const info = view.getUint32(at + 4, true);
    const kind = (info >>> 24) & 0x1f;
    const count = info & 0xffff;
    result.push(readType(view, strings, at, kind, count));
    at += 12 + (fixedBytes[kind] ?? 0) + count * (memberBytes[kind] ?? 0);
  }
  return result;
}

function readType(view: DataView, strings: Uint8Array, at: number, kind: number, count: number): BtfType {
  const text = (offset: number): string => cString(strings, view.getUint32(offset, true));
  const isArray = kind === Kind.array;
  return {
    kind,
    name: text(at),
    sizeOrType: view.getUint32(at + 8, true),
    members: Array.from({ length: count }, (_, index) => readMember(view, text, at + 12, kind, index)).filter((m) => m !== undefined),
    element: isArray ? view.getUint32(at + 12, true) : 0,
    length: isArray ? view.getUint32(at + 20, true) : 0,
  };
}

function readMember(view: DataView, text: (offset: number) => string, from: number, kind: number, index: number) {
  if (kind === Kind.enum) return { name: text(from + index * 8), type: 0, value: view.getInt32(from + index * 8 + 4, true) };
  if (kind !== Kind.struct) return undefined;
  const at = from + index * 12;
  return { name: text(at), type: view.getUint32(at + 4, true), value: view.getUint32(at + 8, true) };
}
