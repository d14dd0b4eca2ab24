import type { Enum, Field, Layouts, Struct } from './layout.ts';

const PRELUDE = `// Written by scripts/generate-layouts.ts from the BTF of bpf/layouts.bpf.c. Do not edit: change bpf/lib and generate again.

/**
 * Where rows are written and read. A view over each row's own bytes would move them out of the heap: ten times the cost of the row.
 */
const scratch = new Uint8Array(SCRATCH);
const words = new DataView(scratch.buffer);

function encoded(size: number): Uint8Array {
  return scratch.slice(0, size);
}

function cleared(size: number): DataView {
  scratch.fill(0, 0, size);
  return words;
}

/** The bytes where they can be read: where they are, or a copy. */
function readable(bytes: Uint8Array | DataView, size: number): DataView {
  if (bytes instanceof DataView) return bytes;
  if (bytes.length < size) throw new RangeError(\`\${bytes.length} bytes given, \${size} wanted\`);
  scratch.set(bytes.length === size ? bytes : bytes.subarray(0, size));
  return words;
}

function putBytes(to: DataView, offset: number, length: number, from: Uint8Array, field: string): void {
  if (from.length > length) throw new RangeError(\`\${field}: \${from.length} bytes given, at most \${length} fit\`);
  for (let i = 0; i < from.length; i++) to.setUint8(offset + i, from[i] as number);
}

function getBytes(from: DataView, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = from.getUint8(offset + i);
  return bytes;
}
`;

/** The whole generated module. */
export function emit(layouts: Layouts): string {
  const largest = Math.max(...layouts.structs.map(({ size }) => size));
  return [PRELUDE.replace('SCRATCH', String(largest)), ...layouts.enums.map(emitEnum), ...layouts.structs.map(emitStruct)].join('\n');
}

function emitEnum({ name, members }: Enum): string {
  const type = pascal(name);
  const skip = commonSegments(members.map((member) => member.name));
  const lines = members.map((member) => `  ${camel(member.name.split('_').slice(skip).join('_').toLowerCase())}: ${member.value},`);
  return [
    `/** \`enum ${name}\`. */`,
    `export const ${type} = {`,
    ...lines,
    '} as const;',
    `/** A value of {@link ${type}}. */`,
    `export type ${type} = (typeof ${type})[keyof typeof ${type}];`,
    '',
  ].join('\n');
}

/** How many leading words all names share; at least one word of each name is left. */
function commonSegments(names: string[]): number {
  if (names.length === 1) return 1;
  const split = names.map((name) => name.split('_'));
  const limit = Math.min(...split.map((words) => words.length - 1));
  let shared = 0;
  while (shared < limit && split.every((words) => words[shared] === split[0]?.[shared])) shared++;
  return shared;
}

function emitStruct(struct: Struct): string {
  const type = pascal(struct.name);
  const value = camel(struct.name);
  const each = (line: (field: Field) => string): string[] => struct.fields.map((field) => `  ${line(field)}`);
  return [
    `/** \`struct ${struct.name}\`. */`,
    `export interface ${type} {`,
    ...each((field) => `${camel(field.name)}: ${typeName(field)};`),
    '}',
    '',
    `/** Size and offsets of {@link ${type}}, in bytes. */`,
    `export const ${value}Layout = {`,
    `  size: ${struct.size},`,
    `  fields: { ${struct.fields.map((field) => `${camel(field.name)}: ${field.offset}`).join(', ')} },`,
    '} as const;',
    '',
    `function put${type}(to: DataView, offset: number, value: ${type}): void {`,
    ...each((field) => put(struct, field)),
    '}',
    '',
    `function get${type}(from: DataView, offset: number): ${type} {`,
    '  return {',
    ...each((field) => `  ${camel(field.name)}: ${get(field)},`),
    '  };',
    '}',
    '',
    `/** {@link ${type}} as the kernel has it; padding is zero. */`,
    `export function encode${type}(value: ${type}): Uint8Array {`,
    `  put${type}(cleared(${struct.size}), 0, value);`,
    `  return encoded(${struct.size});`,
    '}',
    '',
    `/** The inverse of {@link encode${type}}. @throws RangeError when there are fewer than ${struct.size} bytes */`,
    `export function decode${type}(bytes: Uint8Array | DataView): ${type} {`,
    `  return get${type}(readable(bytes, ${struct.size}), 0);`,
    '}',
    '',
  ].join('\n');
}

function typeName({ type }: Field): string {
  if (type.kind === 'struct') return pascal(type.name);
  if (type.kind === 'bytes') return 'Uint8Array';
  return type.bytes === 8 ? 'bigint' : 'number';
}

function put(struct: Struct, { name, offset, type }: Field): string {
  const value = `value.${camel(name)}`;
  if (type.kind === 'struct') return `put${pascal(type.name)}(to, ${plus(offset)}, ${value});`;
  if (type.kind === 'bytes') return `putBytes(to, ${plus(offset)}, ${type.length}, ${value}, '${struct.name}.${name}');`;
  return `to.set${accessor(type.bytes)}(${plus(offset)}, ${value}${endian(type)});`;
}

function get({ offset, type }: Field): string {
  if (type.kind === 'struct') return `get${pascal(type.name)}(from, ${plus(offset)})`;
  if (type.kind === 'bytes') return `getBytes(from, ${plus(offset)}, ${type.length})`;
  return `from.get${accessor(type.bytes)}(${plus(offset)}${endian(type)})`;
}

function plus(offset: number): string {
  return offset === 0 ? 'offset' : `offset + ${offset}`;
}

function accessor(bytes: 1 | 2 | 4 | 8): string {
  return bytes === 8 ? 'BigUint64' : `Uint${bytes * 8}`;
}

function endian({ bytes, bigEndian }: { bytes: number; bigEndian: boolean }): string {
  return bytes === 1 ? '' : `, ${!bigEndian}`;
}

function camel(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function pascal(name: string): string {
  const text = camel(name);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
