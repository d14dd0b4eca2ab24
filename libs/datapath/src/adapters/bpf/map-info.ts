import { objectInfo } from './syscall.ts';

/** What decides whether a map fits a program. */
export interface MapInfo {
  /** `enum bpf_map_type`. */
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
}

/** Kinds of map that hold one value per possible CPU. */
export const PER_CPU_TYPES: ReadonlySet<number> = new Set([5, 6, 10, 21]);

/** Reads the layout of an open map. @throws SystemCallError */
export function mapInfo(fd: number): MapInfo {
  const info = objectInfo(fd);
  const word = (offset: number): number => info.getUint32(offset, true);
  return { type: word(0), keySize: word(8), valueSize: word(12), maxEntries: word(16), flags: word(20) };
}

/** The differences of two layouts in words, empty when they are the same. */
export function layoutDifferences(found: MapInfo, wanted: MapInfo): string[] {
  const keys: (keyof MapInfo)[] = ['type', 'keySize', 'valueSize', 'maxEntries', 'flags'];
  return keys.filter((key) => found[key] !== wanted[key]).map((key) => `${key} is ${found[key]}, wanted ${wanted[key]}`);
}
