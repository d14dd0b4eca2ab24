import koffi from 'koffi';
import { parseBtf } from '../../btf/btf.ts';
import { layoutChanges, type RowLayout, rowLayout, sameLayout } from '../../btf/row-layout.ts';
import { libcCalls } from '../libc.ts';
import { libbpf, type Pointer } from './libbpf.ts';
import { layoutDifferences, type MapInfo, mapInfo } from './map-info.ts';
import { attribute, BpfCommand, bpf, holding, objectInfo } from './syscall.ts';

/** What a map is, and where everything in its rows lies. */
export interface MapLayout {
  readonly info: MapInfo;
  /** Undefined where nobody wrote down the types. */
  readonly rows: { readonly key: RowLayout; readonly value: RowLayout } | undefined;
}

/** Offsets in `struct bpf_map_info`. */
const INFO_BTF = { id: 64, key: 68, value: 72 } as const;
/** Offsets in `struct bpf_btf_info`. */
const BTF_INFO = { data: 0, size: 8, bytes: 32 } as const;

/** The layouts of all maps of an opened object. */
export function wantedLayouts(object: Pointer, maps: readonly Pointer[]): Map<string, MapLayout> {
  const lib = libbpf();
  const btf = objectBtf(object);
  return new Map(
    maps.map((map) => {
      const info = {
        type: lib.mapType(map),
        keySize: lib.mapKeySize(map),
        valueSize: lib.mapValueSize(map),
        maxEntries: lib.mapMaxEntries(map),
        flags: lib.mapFlags(map),
      };
      return [lib.mapName(map), { info, rows: btf && rowsOf(btf, lib.mapKeyType(map), lib.mapValueType(map)) }];
    }),
  );
}

/** The layout of a map in the kernel. @throws SystemCallError */
export function layoutOf(fd: number): MapLayout {
  const words = objectInfo(fd);
  const btf = words.getUint32(INFO_BTF.id, true);
  const [key, value] = [words.getUint32(INFO_BTF.key, true), words.getUint32(INFO_BTF.value, true)];
  return { info: mapInfo(fd), rows: btf === 0 ? undefined : rowsOf(kernelBtf(btf), key, value) };
}

/** How two layouts differ, in words; empty when rows of one can stand in the other as they are, and all else is the same too. */
export function differencesOf(found: MapLayout, wanted: MapLayout): string[] {
  const differences = layoutDifferences(found.info, wanted.info);
  if (!found.rows || !wanted.rows) return differences;
  const changes = (['key', 'value'] as const).flatMap((part) => {
    const [from, to] = [found.rows?.[part] as RowLayout, wanted.rows?.[part] as RowLayout];
    return sameLayout(from, to) ? [] : layoutChanges(from, to).map((change) => `${part}: ${change}`);
  });
  return [...differences, ...changes];
}

function rowsOf(btf: Uint8Array, key: number, value: number): MapLayout['rows'] {
  if (key === 0 || value === 0) return undefined;
  const types = parseBtf(btf);
  return { key: rowLayout(types, key), value: rowLayout(types, value) };
}

function objectBtf(object: Pointer): Uint8Array | undefined {
  const size: [number] = [0];
  const btf = libbpf().objectBtf(object);
  const data = btf === null ? null : libbpf().btfRawData(btf, size);
  return data === null ? undefined : new Uint8Array(koffi.view(data, size[0])).slice();
}

/** What the kernel knows of types under this id. @throws SystemCallError */
function kernelBtf(id: number): Uint8Array {
  const byId = attribute();
  byId.setUint32(0, id, true);
  const fd = bpf(BpfCommand.btfGetFdById, byId);
  try {
    const data = new Uint8Array(readBtfInfo(fd, new Uint8Array()));
    readBtfInfo(fd, data);
    return data;
  } finally {
    libcCalls.close(fd);
  }
}

/** Fills `data`, and answers how many bytes there are. */
function readBtfInfo(fd: number, data: Uint8Array): number {
  const info = new Uint8Array(BTF_INFO.bytes);
  const words = new DataView(info.buffer);
  if (data.length > 0) words.setBigUint64(BTF_INFO.data, koffi.address(data), true);
  words.setUint32(BTF_INFO.size, data.length, true);
  const attr = attribute();
  attr.setUint32(0, fd, true);
  attr.setUint32(4, info.length, true);
  attr.setBigUint64(8, koffi.address(info), true);
  holding([info, data], () => bpf(BpfCommand.objInfo, attr));
  return words.getUint32(BTF_INFO.size, true);
}
