import { type BtfType, Kind } from '../../libs/datapath/src/btf/btf.ts';

/** A field as TypeScript will see it. */
export type FieldType =
  | { kind: 'integer'; bytes: 1 | 2 | 4 | 8; bigEndian: boolean }
  | { kind: 'bytes'; length: number }
  | { kind: 'struct'; name: string };

/** A field with its offset in bytes. */
export interface Field {
  name: string;
  offset: number;
  type: FieldType;
}

/** A struct, its padding left out. */
export interface Struct {
  name: string;
  size: number;
  fields: Field[];
}

/** An enum: members by their C name. */
export interface Enum {
  name: string;
  members: { name: string; value: number }[];
}

/** What an object's variables are made of. */
export interface Layouts {
  structs: Struct[];
  enums: Enum[];
}

/** The structs and enums that are types of variables, in alphabetical order. @throws Error for a field that no encoder knows */
export function layoutsOf(types: BtfType[]): Layouts {
  const declared = types.filter((type) => type.kind === Kind.variable && type.name.startsWith('layout_'));
  const targets = declared.map((variable) => at(types, variable.sizeOrType)).sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    structs: targets.filter((type) => type.kind === Kind.struct).map((type) => structOf(types, type)),
    enums: targets.filter((type) => type.kind === Kind.enum).map(({ name, members }) => ({ name, members })),
  };
}

function structOf(types: BtfType[], type: BtfType): Struct {
  const shown = type.members.filter((member) => !/^pad\d*$/.test(member.name));
  const fields = shown.map((member) => ({
    name: member.name,
    offset: member.value / 8,
    type: fieldType(types, member.type, `${type.name}.${member.name}`),
  }));
  return { name: type.name, size: type.sizeOrType, fields };
}

function fieldType(types: BtfType[], id: number, where: string): FieldType {
  let type = at(types, id);
  let bigEndian = false;
  for (; type.kind === Kind.typedef; type = at(types, type.sizeOrType)) bigEndian ||= /^__be(16|32|64)$/.test(type.name);
  if (type.kind === Kind.int) return { kind: 'integer', bytes: integerBytes(type.sizeOrType, where), bigEndian };
  if (type.kind === Kind.struct) return { kind: 'struct', name: type.name };
  if (type.kind === Kind.array) return arrayType(types, type, where);
  throw new Error(`${where}: BTF kind ${type.kind} has no encoding`);
}

function arrayType(types: BtfType[], type: BtfType, where: string): FieldType {
  const element = fieldType(types, type.element, where);
  if (element.kind !== 'integer' || element.bytes !== 1) throw new Error(`${where}: only arrays of bytes have an encoding`);
  return { kind: 'bytes', length: type.length };
}

function integerBytes(size: number, where: string): 1 | 2 | 4 | 8 {
  if (size === 1 || size === 2 || size === 4 || size === 8) return size;
  throw new Error(`${where}: an integer of ${size} bytes has no encoding`);
}

function at(types: BtfType[], id: number): BtfType {
  const type = types[id];
  if (type === undefined) throw new Error(`no type ${id}`);
  return type;
}
