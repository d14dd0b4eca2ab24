import { reject } from './decode-result.ts';
import { intern } from './intern.ts';

/** A JSON object as parsed: own properties only may be believed. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Labels, annotations and the like. A Map: keys come from outside and may be called `constructor`. */
export type StringMap = ReadonlyMap<string, string>;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const EMPTY: StringMap = new Map();

/** Bytes as text. Rejects what is not UTF-8. */
export function readText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return reject('bad-encoding');
  }
}

/** Bytes as JSON. */
export function readJson(bytes: Uint8Array): unknown {
  const text = readText(bytes);
  try {
    return JSON.parse(text);
  } catch {
    return reject('bad-json');
  }
}

/** Bytes as one JSON object. */
export function readJsonObject(bytes: Uint8Array): JsonObject {
  const value = readJson(bytes);
  return isObject(value) ? value : reject('bad-json');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field of the object itself; null and absence are the same, as for Go's decoder. */
export function field(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined;
}

/** A string field, `''` when absent. */
export function readString(object: JsonObject, name: string): string {
  const value = field(object, name) ?? '';
  return typeof value === 'string' ? value : reject('bad-field');
}

/** A string field that many records share the value of. */
export function readShared(object: JsonObject, name: string): string {
  return intern(readString(object, name));
}

/** A string field that may not be empty. */
export function readRequired(object: JsonObject, name: string): string {
  return readString(object, name) || reject('bad-field');
}

/** A boolean field, false when absent. */
export function readBoolean(object: JsonObject, name: string): boolean {
  const value = field(object, name) ?? false;
  return typeof value === 'boolean' ? value : reject('bad-field');
}

/** An integer field from 0 to `max`, 0 when absent. */
export function readUint(object: JsonObject, name: string, max: number): number {
  const value = field(object, name) ?? 0;
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max ? value : reject('bad-field');
}

/** An object field, undefined when absent or null. */
export function readObject(object: JsonObject, name: string): JsonObject | undefined {
  const value = field(object, name);
  return value === undefined || isObject(value) ? value : reject('bad-field');
}

/** An array field with each element read, null when absent or null: writers tell null from empty, so we keep it. */
export function readArray<T>(object: JsonObject, name: string, read: (element: unknown) => T): readonly T[] | null {
  const value = field(object, name);
  if (value === undefined) return null;
  return Array.isArray(value) ? value.map(read) : reject('bad-field');
}

/** An array element that must be an object. */
export function asObject(element: unknown): JsonObject {
  return isObject(element) ? element : reject('bad-field');
}

/** A field of string to string, in key order; null when absent or null. */
export function readStringMap(object: JsonObject, name: string): StringMap | null {
  const value = readObject(object, name);
  if (value === undefined) return null;
  const entries = Object.entries(value);
  if (entries.length === 0) return EMPTY;
  return new Map(entries.map(([key, text]) => [intern(key), typeof text === 'string' ? intern(text) : reject('bad-field')]));
}
