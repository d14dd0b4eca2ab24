/** How large a chunk may be. */
export interface ChunkLimits {
  items: number;
  bytes: number;
}

/** Cuts a list into runs within the limits. A single item above the limit of bytes is a chunk of its own. */
export function chunks<T>(list: readonly T[], bytesOf: (item: T) => number, limits: ChunkLimits): T[][] {
  const result: T[][] = [];
  let chunk: T[] = [];
  let bytes = 0;
  for (const item of list) {
    const size = bytesOf(item);
    if (chunk.length > 0 && (chunk.length >= limits.items || bytes + size > limits.bytes)) {
      result.push(chunk);
      chunk = [];
      bytes = 0;
    }
    chunk.push(item);
    bytes += size;
  }
  if (chunk.length > 0) result.push(chunk);
  return result;
}
