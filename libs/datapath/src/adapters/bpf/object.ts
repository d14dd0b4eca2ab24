import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CodedError } from '@isthmus/core';
import koffi from 'koffi';
import { errnoName } from '../errno-name.ts';
import { errno } from '../libc.ts';
import { BPF_LOAD, BPF_OBJECT } from './bpf-error.ts';
import { libbpf, type Pointer } from './libbpf.ts';
import { BpfMap } from './map.ts';
import { type MapLayout, wantedLayouts } from './map-layout.ts';
import { type MapMigration, type MigratedMap, migrationOf } from './map-migration.ts';
import { captureLog } from './verifier-log.ts';

const CONFIG_SECTION = '.rodata.config';
const LOG_TAIL = 8000;

/** How to load a compiled object. */
export interface BpfObjectOptions {
  /** The compiled object, `bpf/build/<name>.bpf.o`. */
  path: string;
  /** The bytes of `struct datapath_config`; zeros unless given. */
  config?: Uint8Array;
  /** Folder on a bpffs mount, one per agent. Every map is pinned in it by its name, and one that is there is used. */
  pinFolder?: string;
  /** Number of entries by map name, where the compiled one does not fit. */
  maxEntries?: Readonly<Record<string, number>>;
}

/**
 * A loaded object: its programs and maps. Programs stay in the kernel as long as something is attached to them or this is open; pinned
 * maps stay until their pin goes.
 */
export class BpfObject {
  #handle: Pointer;
  readonly #name: string;
  readonly #programs = new Map<string, number>();
  readonly #maps = new Map<string, BpfMap>();

  readonly #migrations: readonly MapMigration[];
  /** Maps that were pinned in another layout, and are in this object's now. */
  readonly migrated: readonly MigratedMap[];

  private constructor(handle: Pointer, name: string, migrations: readonly MapMigration[]) {
    this.#handle = handle;
    this.#name = name;
    this.#migrations = migrations;
    for (const program of each(handle, libbpf().nextProgram)) {
      this.#programs.set(libbpf().programName(program), libbpf().programFd(program));
    }
    for (const map of ownMaps(handle)) {
      const mapName = libbpf().mapName(map);
      this.#maps.set(mapName, new BpfMap(libbpf().mapFd(map), mapName));
    }
    this.migrated = migrations.map((migration) => migration.run(this.map(migration.name)));
  }

  /**
   * Opens, configures, pins and loads. A map that is pinned in another layout is migrated: its rows are copied into a new one, field by field
   * by their names, which then takes its place. What is attached goes on with the old one.
   * @throws CodedError BPF_OBJECT (not there, damaged, config of another size), BPF_MAP_LAYOUT (names the map, whose rows cannot be taken
   *   over), BPF_MAP_FULL (it has more rows than the new one may), BPF_LOAD (with the verifier's text), LIBBPF_MISSING
   */
  static load(options: BpfObjectOptions): BpfObject {
    const name = basename(options.path);
    const { result: handle, log } = captureLog(() => libbpf().objectOpen(options.path, null));
    if (handle === null) throw notOpened(options.path, log);
    const migrations: MapMigration[] = [];
    try {
      configure(handle, name, options, migrations);
      loadOrThrow(handle, name);
      return new BpfObject(handle, name, migrations);
    } catch (error) {
      for (const migration of migrations) migration.close();
      libbpf().objectClose(handle);
      throw error;
    }
  }

  /** The descriptor of a program; it belongs to this object. @throws CodedError BPF_OBJECT */
  program(name: string): number {
    const fd = this.#programs.get(name);
    if (fd === undefined) throw new CodedError(BPF_OBJECT, `${this.#name} holds no program ${name}`, { object: this.#name });
    return fd;
  }

  /** A map of the object; it is usable until {@link close}. @throws CodedError BPF_OBJECT */
  map(name: string): BpfMap {
    const map = this.#maps.get(name);
    if (map === undefined) throw new CodedError(BPF_OBJECT, `${this.#name} holds no map ${name}`, { object: this.#name });
    return map;
  }

  /** Names of its programs. */
  programs(): string[] {
    return [...this.#programs.keys()];
  }

  /** Call it when this object's programs have taken the places of those that used the old maps. */
  migrationsDone(): void {
    for (const migration of this.#migrations) migration.catchUp();
  }

  /** Closes all descriptors; twice is fine. What is attached or pinned stays. */
  close(): void {
    if (this.#handle !== null) for (const migration of this.#migrations) migration.close();
    if (this.#handle !== null) libbpf().objectClose(this.#handle);
    this.#handle = null;
  }
}

function* each(handle: Pointer, next: (object: Pointer, after: Pointer) => Pointer): Generator<Pointer> {
  for (let item = next(handle, null); item !== null; item = next(handle, item)) yield item;
}

/** The maps that the source declares, without those that hold its constants. */
function ownMaps(handle: Pointer): Pointer[] {
  return [...each(handle, libbpf().nextMap)].filter((map) => !libbpf().mapIsInternal(map));
}

function configure(handle: Pointer, name: string, options: BpfObjectOptions, migrations: MapMigration[]): void {
  if (options.config) writeConfig(handle, name, options.config);
  if (options.pinFolder !== undefined) mkdirSync(options.pinFolder, { recursive: true, mode: 0o700 });
  const maps = ownMaps(handle);
  for (const map of maps) {
    const entries = options.maxEntries?.[libbpf().mapName(map)];
    if (entries !== undefined) libbpf().mapSetMaxEntries(map, entries);
  }
  if (options.pinFolder === undefined) return;
  const layouts = wantedLayouts(handle, maps);
  for (const map of maps) {
    const mapName = libbpf().mapName(map);
    const migration = migrationOf(join(options.pinFolder, mapName), mapName, layouts.get(mapName) as MapLayout);
    if (migration) migrations.push(migration);
    else pin(map, mapName, options.pinFolder);
  }
}

function writeConfig(handle: Pointer, name: string, config: Uint8Array): void {
  const section = libbpf().findMap(handle, CONFIG_SECTION);
  const size: [bigint] = [0n];
  const memory = section === null ? null : libbpf().mapInitialValue(section, size);
  // A program that reads no configuration has no such section: nothing to tell it.
  if (memory === null) return;
  if (Number(size[0]) !== config.length) {
    const message = `${name} wants a configuration of ${size[0]} bytes and was given ${config.length}`;
    throw new CodedError(BPF_OBJECT, message, { object: name });
  }
  new Uint8Array(koffi.view(memory, config.length)).set(config);
}

function pin(map: Pointer, name: string, folder: string): void {
  const path = join(folder, name);
  const code = libbpf().mapSetPinPath(map, path);
  if (code < 0) throw new CodedError(BPF_OBJECT, `cannot pin map ${name} at ${path}: ${errnoName(code)}`, { object: name });
}

function loadOrThrow(handle: Pointer, name: string): void {
  const { result: code, log } = captureLog(() => libbpf().objectLoad(handle));
  if (code >= 0) return;
  throw new CodedError(BPF_LOAD, `${name} does not load: ${errnoName(code)}\n${log.slice(-LOG_TAIL)}`, { object: name });
}

function notOpened(path: string, log: string): CodedError {
  return new CodedError(BPF_OBJECT, `cannot open ${path}: ${errnoName(errno())}\n${log}`, { object: path });
}
