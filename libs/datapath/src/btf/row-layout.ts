import { type BtfType, Kind } from './btf.ts';

/** One value in a row, with the names that lead to it: `addr.family`; empty where the row is a single value. */
export interface RowField {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
  /** How its bytes are read: two fields of one name and different kinds do not mean the same. */
  readonly kind: 'integer' | 'big-endian' | 'bytes';
}

/** Where everything in a key or value of a map lies. */
export interface RowLayout {
  readonly size: number;
  /** In order; without padding. */
  readonly fields: readonly RowField[];
}

const PADDING = /(^|\.)pad\d*$/;
const BIG_ENDIAN = /^__be(16|32|64)$/;
const TRANSPARENT: ReadonlySet<number> = new Set([Kind.typedef, Kind.volatile, Kind.const, Kind.restrict]);

/** The layout of a type. Structs are looked into; arrays and unions are bytes. @throws Error for a type that is not there */
export function rowLayout(types: readonly BtfType[], id: number): RowLayout {
  const fields = fieldsOf(types, id, '', 0);
  return { size: sizeOf(types, id), fields: fields.filter(({ path }) => !PADDING.test(path)) };
}

/** Whether two layouts say the same of every byte that means something. */
export function sameLayout(a: RowLayout, b: RowLayout): boolean {
  return layoutText(a) === layoutText(b);
}

/** What became of the fields, in words. */
export function layoutChanges(from: RowLayout, to: RowLayout): string[] {
  const before = new Map(from.fields.map((field) => [field.path, field]));
  const after = new Map(to.fields.map((field) => [field.path, field]));
  const gone = from.fields.filter(({ path }) => !after.has(path)).map(({ path }) => `${path} is gone`);
  const added = to.fields.filter(({ path }) => !before.has(path)).map(({ path }) => `${path} is new`);
  const changed = to.fields.filter((field) => {
    const old = before.get(field.path);
    return old !== undefined && fieldText(old) !== fieldText(field);
  });
  const size = from.size === to.size ? [] : [`size ${from.size} becomes ${to.size}`];
  return [...gone, ...added, ...changed.map(({ path }) => `${path || 'the value'} moves or grows`), ...size];
}

function layoutText({ size, fields }: RowLayout): string {
  return `${size} ${fields.map((field) => `${field.path}@${fieldText(field)}`).join(' ')}`;
}

function fieldText({ offset, size, kind }: RowField): string {
  return `${offset}:${size}:${kind}`;
}

function fieldsOf(types: readonly BtfType[], id: number, path: string, offset: number): RowField[] {
  const { type, bigEndian } = resolved(types, id);
  if (type.kind !== Kind.struct) return [{ path, offset, size: sizeOf(types, id), kind: kindOf(type, bigEndian) }];
  return type.members.flatMap((member) =>
    fieldsOf(types, member.type, path === '' ? member.name : `${path}.${member.name}`, offset + member.value / 8),
  );
}

function kindOf(type: BtfType, bigEndian: boolean): RowField['kind'] {
  if (type.kind !== Kind.int && type.kind !== Kind.enum) return 'bytes';
  return bigEndian ? 'big-endian' : 'integer';
}

function sizeOf(types: readonly BtfType[], id: number): number {
  const { type } = resolved(types, id);
  return type.kind === Kind.array ? type.length * sizeOf(types, type.element) : type.sizeOrType;
}

function resolved(types: readonly BtfType[], id: number): { type: BtfType; bigEndian: boolean } {
  let type = at(types, id);
  let bigEndian = false;
  for (; TRANSPARENT.has(type.kind); type = at(types, type.sizeOrType)) bigEndian ||= BIG_ENDIAN.test(type.name);
  return { type, bigEndian };
}

function at(types: readonly BtfType[], id: number): BtfType {
  const type = types[id];
  if (type === undefined || id === 0) throw new Error(`there is no BTF type ${id}`);
  return type;
}
