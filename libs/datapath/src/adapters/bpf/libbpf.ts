import { CodedError, messageOf } from '@isthmus/core';
import koffi, { type LibraryHandle } from 'koffi';
import { LIBBPF_MISSING } from './bpf-error.ts';

/** A pointer into the C heap: koffi gives numbers, null stands for NULL. */
export type Pointer = bigint | null;

/** What is handed to C as memory. */
export type Memory = Uint8Array | null;

/** The calls of libbpf 1.x that this folder makes. Those that return a number answer a negative error number on failure. */
export interface Libbpf {
  objectOpen(path: string, options: Memory): Pointer;
  objectLoad(object: Pointer): number;
  objectClose(object: Pointer): void;
  nextMap(object: Pointer, after: Pointer): Pointer;
  nextProgram(object: Pointer, after: Pointer): Pointer;
  programName(program: Pointer): string;
  programFd(program: Pointer): number;
  mapName(map: Pointer): string;
  mapIsInternal(map: Pointer): boolean;
  mapType(map: Pointer): number;
  mapKeySize(map: Pointer): number;
  mapValueSize(map: Pointer): number;
  mapMaxEntries(map: Pointer): number;
  mapFlags(map: Pointer): number;
  mapKeyType(map: Pointer): number;
  mapValueType(map: Pointer): number;
  objectBtf(object: Pointer): Pointer;
  btfRawData(btf: Pointer, size: [number]): Pointer;
  mapFd(map: Pointer): number;
  mapSetPinPath(map: Pointer, path: string): number;
  mapSetMaxEntries(map: Pointer, entries: number): number;
  mapInitialValue(map: Pointer, size: [bigint]): Pointer;
  findMap(object: Pointer, name: string): Pointer;
  hookCreate(hook: Memory): number;
  hookAttach(hook: Memory, options: Memory): number;
  hookDetach(hook: Memory, options: Memory): number;
  update(fd: number, key: Memory, value: Memory, flags: number): number;
  lookup(fd: number, key: Memory, value: Memory): number;
  remove(fd: number, key: Memory): number;
  updateBatch(fd: number, keys: Memory, values: Memory, count: Memory, options: Memory): number;
  removeBatch(fd: number, keys: Memory, count: Memory, options: Memory): number;
  lookupBatch(fd: number, from: Memory, to: Memory, keys: Memory, values: Memory, count: Memory, options: Memory): number;
  testRun(fd: number, options: Memory): number;
  possibleCpus(): number;
  setPrint(callback: bigint): Pointer;
}

const signatures: Record<keyof Libbpf, string> = {
  objectOpen: 'void *bpf_object__open_file(const char *path, const void *options)',
  objectLoad: 'int bpf_object__load(void *object)',
  objectClose: 'void bpf_object__close(void *object)',
  nextMap: 'void *bpf_object__next_map(void *object, void *after)',
  nextProgram: 'void *bpf_object__next_program(void *object, void *after)',
  programName: 'const char *bpf_program__name(void *program)',
  programFd: 'int bpf_program__fd(void *program)',
  mapName: 'const char *bpf_map__name(void *map)',
  mapIsInternal: 'bool bpf_map__is_internal(void *map)',
  mapType: 'int bpf_map__type(void *map)',
  mapKeySize: 'uint32_t bpf_map__key_size(void *map)',
  mapValueSize: 'uint32_t bpf_map__value_size(void *map)',
  mapMaxEntries: 'uint32_t bpf_map__max_entries(void *map)',
  mapFlags: 'uint32_t bpf_map__map_flags(void *map)',
  mapKeyType: 'uint32_t bpf_map__btf_key_type_id(void *map)',
  mapValueType: 'uint32_t bpf_map__btf_value_type_id(void *map)',
  objectBtf: 'void *bpf_object__btf(void *object)',
  btfRawData: 'void *btf__raw_data(void *btf, _Out_ uint32_t *size)',
  mapFd: 'int bpf_map__fd(void *map)',
  mapSetPinPath: 'int bpf_map__set_pin_path(void *map, const char *path)',
  mapSetMaxEntries: 'int bpf_map__set_max_entries(void *map, uint32_t entries)',
  mapInitialValue: 'void *bpf_map__initial_value(void *map, _Out_ size_t *size)',
  findMap: 'void *bpf_object__find_map_by_name(void *object, const char *name)',
  hookCreate: 'int bpf_tc_hook_create(void *hook)',
  hookAttach: 'int bpf_tc_attach(const void *hook, void *options)',
  hookDetach: 'int bpf_tc_detach(const void *hook, const void *options)',
  update: 'int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)',
  lookup: 'int bpf_map_lookup_elem(int fd, const void *key, void *value)',
  remove: 'int bpf_map_delete_elem(int fd, const void *key)',
  updateBatch: 'int bpf_map_update_batch(int fd, const void *keys, const void *values, void *count, const void *options)',
  removeBatch: 'int bpf_map_delete_batch(int fd, const void *keys, void *count, const void *options)',
  lookupBatch: 'int bpf_map_lookup_batch(int fd, void *from, void *to, void *keys, void *values, void *count, const void *options)',
  testRun: 'int bpf_prog_test_run_opts(int fd, void *options)',
  possibleCpus: 'int libbpf_num_possible_cpus()',
  setPrint: 'void *libbpf_set_print(void *callback)',
};

let bound: Libbpf | undefined;

/**
 * The library, loaded at first use: a process that touches no program does not need it.
 * @throws CodedError LIBBPF_MISSING
 */
export function libbpf(): Libbpf {
  bound ??= bind(load());
  return bound;
}

function load(): LibraryHandle {
  try {
    return koffi.load('libbpf.so.1');
  } catch (cause) {
    throw new CodedError(LIBBPF_MISSING, `cannot load libbpf.so.1: ${messageOf(cause)}`, { object: 'libbpf.so.1', cause });
  }
}

function bind(library: LibraryHandle): Libbpf {
  const calls: Record<string, unknown> = {};
  for (const [name, signature] of Object.entries(signatures)) calls[name] = library.func(signature);
  return calls as unknown as Libbpf;
}
