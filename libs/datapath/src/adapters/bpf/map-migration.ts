import { renameSync, rmSync } from 'node:fs';
import { CodedError } from '@isthmus/core';
import { type RowConversion, rowConversion } from '../../btf/row-conversion.ts';
import { sameLayout } from '../../btf/row-layout.ts';
import { BPF_MAP_LAYOUT, errnoOf } from './bpf-error.ts';
import { BATCH_ROWS, BpfMap, type MapEntry } from './map.ts';
import { PER_CPU_TYPES } from './map-info.ts';
import { differencesOf, layoutOf, type MapLayout } from './map-layout.ts';
import { pinObject } from './syscall.ts';

/** `enum bpf_map_type`. */
const LPM_TRIE = 11;
const RING_BUFFER = 27;
/** Written by programs: those that still run on the old map may add to it until they are replaced. */
const LEAST_RECENTLY_USED: ReadonlySet<number> = new Set([9, 10]);
const KEPT_ALIGNMENT = 8;

/** What a migration did. */
export interface MigratedMap {
  readonly name: string;
  /** How the layouts differ, in words. */
  readonly changes: readonly string[];
  /** Rows taken over. */
  readonly rows: number;
}

/**
 * A pinned map of another layout, on its way into a new one. While it goes on, programs that are attached use the old map, which has all rows;
 * nobody ever sees a map that lacks some.
 */
export class MapMigration {
  readonly name: string;
  readonly #path: string;
  readonly #old: BpfMap;
  readonly #changes: readonly string[];
  readonly #convert: (entry: MapEntry) => MapEntry;
  #new: BpfMap | undefined;

  /** Takes over the old map. @throws CodedError BPF_MAP_LAYOUT when nobody can tell how its rows would look */
  constructor(path: string, old: BpfMap, found: MapLayout, wanted: MapLayout) {
    this.name = old.name;
    this.#path = path;
    this.#old = old;
    this.#changes = differencesOf(found, wanted);
    this.#convert = entryConversion(path, this.name, this.#changes, found, wanted);
  }

  /** Copies all rows, and puts the new map in the old one's place. @throws CodedError BPF_MAP_FULL, BPF_MAP_LAYOUT: the old one stays */
  run(to: BpfMap): MigratedMap {
    const rows = to.info.type === RING_BUFFER ? 0 : this.#copy(to);
    // A pin must have no dot in its name. One may be left of a migration that was cut off.
    const temporary = `${this.#path}_new`;
    rmSync(temporary, { force: true });
    pinObject(to.fd, temporary);
    renameSync(temporary, this.#path);
    this.#new = to;
    return { name: this.name, changes: this.#changes, rows };
  }

  /** Call it when the new programs are attached: takes over what the old ones wrote meanwhile. */
  catchUp(): void {
    if (!this.#new || !LEAST_RECENTLY_USED.has(this.#old.info.type)) return;
    for (const entry of this.#old.entries()) {
      const [key, value] = this.#convert(entry);
      if (!this.#new.lookup(key)) this.#new.set(key, value);
    }
  }

  close(): void {
    this.#old.close();
  }

  #copy(to: BpfMap): number {
    let rows = 0;
    let batch: MapEntry[] = [];
    const flush = (): void => {
      to.updateBatch(
        batch.map(([key]) => key),
        batch.map(([, value]) => value),
      );
      rows += batch.length;
      batch = [];
    };
    for (const entry of this.#old.entries()) if (batch.push(this.#convert(entry)) === BATCH_ROWS) flush();
    if (batch.length > 0) flush();
    return rows;
  }
}

/** What has to be done about a pin before a map can have it: nothing, or a migration. @throws CodedError BPF_MAP_LAYOUT; SystemCallError */
export function migrationOf(path: string, name: string, wanted: MapLayout): MapMigration | undefined {
  const old = openOrUndefined(path, name);
  if (!old) return undefined;
  try {
    const found = layoutOf(old.fd);
    if (differencesOf(found, wanted).length > 0) return new MapMigration(path, old, found, wanted);
  } catch (error) {
    old.close();
    throw error;
  }
  old.close();
  return undefined;
}

const ENOENT = 2;

function openOrUndefined(path: string, name: string): BpfMap | undefined {
  try {
    return BpfMap.open(path, name);
  } catch (error) {
    if (errnoOf(error) === ENOENT) return undefined;
    throw error;
  }
}

function entryConversion(
  path: string,
  name: string,
  changes: readonly string[],
  found: MapLayout,
  wanted: MapLayout,
): (entry: MapEntry) => MapEntry {
  const refused = (why: string): CodedError =>
    new CodedError(BPF_MAP_LAYOUT, `map ${name} pinned at ${path} does not fit: ${changes.join(', ')}; ${why}`, { object: name });
  if (PER_CPU_TYPES.has(found.info.type) !== PER_CPU_TYPES.has(wanted.info.type)) throw refused('only one of them counts per processor');
  if ((found.info.type === RING_BUFFER) !== (wanted.info.type === RING_BUFFER)) throw refused('only one of them has rows');
  const { key, value } = rowConversions(found, wanted, refused);
  const perCpu = PER_CPU_TYPES.has(found.info.type);
  const convertValue = perCpu ? eachCpu(value, found.info.valueSize, wanted.info.valueSize) : value;
  return (entry) => {
    const [newKey, newValue] = [key(entry[0]), convertValue(entry[1])];
    if (newKey && newValue) return [newKey, newValue];
    throw refused('a row holds more than fits');
  };
}

function rowConversions(
  found: MapLayout,
  wanted: MapLayout,
  refused: (why: string) => CodedError,
): { key: RowConversion; value: RowConversion } {
  const same: RowConversion = (row) => row;
  const { rows: from } = found;
  const { rows: to } = wanted;
  if (!from || !to) {
    const fits = found.info.keySize === wanted.info.keySize && found.info.valueSize === wanted.info.valueSize;
    if (fits) return { key: same, value: same };
    throw refused('its types are not known');
  }
  // The number of bits that a prefix has counts from where the key begins.
  if (wanted.info.type === LPM_TRIE && !sameLayout(from.key, to.key)) throw refused('prefixes cannot be moved');
  const [key, value] = [rowConversion(from.key, to.key), rowConversion(from.value, to.value)];
  if (!key || !value) throw refused('a field means something else now');
  return { key, value };
}

/** The same for every processor's value; each begins at a multiple of eight bytes. */
function eachCpu(convert: RowConversion, oldSize: number, newSize: number): RowConversion {
  const aligned = (size: number): number => Math.ceil(size / KEPT_ALIGNMENT) * KEPT_ALIGNMENT;
  return (row) => {
    const count = row.length / aligned(oldSize);
    const all = new Uint8Array(count * aligned(newSize));
    for (let cpu = 0; cpu < count; cpu++) {
      const one = convert(row.subarray(cpu * aligned(oldSize), cpu * aligned(oldSize) + oldSize));
      if (!one) return undefined;
      all.set(one, cpu * aligned(newSize));
    }
    return all;
  };
}
