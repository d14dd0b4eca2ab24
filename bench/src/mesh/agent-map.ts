import { join } from 'node:path';
import { CodedError, delay, systemClock } from '@isthmus/core';
import { BpfMap } from '@isthmus/datapath';
import type { NodePlace } from '@isthmus/lab';
import { BENCH_NOT_ARRIVED } from '../bench.errors.ts';

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
 * @throws CodedError BENCH_NOT_ARRIVED
 */
export async function untilAll(map: BpfMap, wanted: readonly Wanted[], timeoutMs: number): Promise<number> {
  const deadline = performance.now() + timeoutMs;
  for (let next = 0; ; await delay(systemClock, LOOK_MS)) {
    for (; next < wanted.length; next++) {
      const { key, is } = wanted[next] as Wanted;
      if (!is(map.lookup(key))) break;
    }
    if (next === wanted.length) return performance.now();
    if (performance.now() > deadline) throw arrivedNot(map.name, next, wanted.length);
  }
}

function arrivedNot(map: string, found: number, wanted: number): CodedError {
  return new CodedError(BENCH_NOT_ARRIVED, `row ${found + 1} of ${wanted} did not arrive in ${map}`, { object: map });
}
