import { join } from 'node:path';
import { delay, systemClock } from '@isthmus/core';
import { BpfMap } from '@isthmus/datapath';
import type { NodePlace } from '@isthmus/lab';

/** Where an agent pins its maps, within its node's folder. */
const PIN_FOLDER = 'isthmus';
const LOOK_MS = 2;

/** A map that the agent of a node has pinned. The caller closes it. */
export function agentMap(node: NodePlace, name: string): BpfMap {
  return BpfMap.open(join(node.bpf, PIN_FOLDER, name), name);
}

/** A row that is waited for. */
export interface Wanted {
  readonly key: Uint8Array;
  /** Whether this is what the map must say; undefined: no row. */
  is(value: Uint8Array | undefined): boolean;
}

/**
 * Waits until a map says everything at once that is wanted of it. Each row is looked up until it is right and never again, so that the
 * waiting itself costs next to nothing.
 * @returns when the last one was found, as `performance.now`
 */
export async function untilAll(map: BpfMap, wanted: readonly Wanted[], signal: AbortSignal): Promise<number> {
  let next = 0;
  for (;;) {
    for (; next < wanted.length; next++) {
      const { key, is } = wanted[next] as Wanted;
      if (!is(map.lookup(key))) break;
    }
    if (next === wanted.length) return performance.now();
    await delay(systemClock, LOOK_MS, signal);
  }
}
