import { bfdStalls } from './bfd-stalls/bfd-stalls.ts';
import { bgp } from './bgp/bgp.ts';
import { cni } from './cni/cni.ts';
import { coldSync250k } from './cold-sync-250k/cold-sync-250k.ts';
import { coldSyncAgent } from './cold-sync-agent/cold-sync-agent.ts';
import { coldSyncMirror } from './cold-sync-mirror/cold-sync-mirror.ts';
import { encrypted } from './encrypted/encrypted.ts';
import { failover } from './failover/failover.ts';
import { footprint } from './footprint/footprint.ts';
import type { Case } from './harness.ts';
import { kem } from './kem/kem.ts';
import { meshChurn } from './mesh-churn/mesh-churn.ts';
import { podToPod } from './pod-to-pod/pod-to-pod.ts';
import { propagation } from './propagation/propagation.ts';
import { rotation } from './rotation/rotation.ts';
import { rotationScale } from './rotation-scale/rotation-scale.ts';
import { selfCheck } from './self-check.ts';
import type { Series } from './series.ts';

/** A benchmark that is set up. */
export interface OpenBench {
  /** In order. They may come one by one, when each needs something else set up. */
  readonly cases: Iterable<Case | Series> | AsyncIterable<Case | Series>;
  /** Processes that work for it without descending from this one. */
  readonly ownProcesses?: () => readonly number[];
}

/** A benchmark. */
export interface Bench {
  readonly name: string;
  readonly about: string;
  /** Sets it up. What an earlier run left behind is removed first. */
  open(progress: (line: string) => void): Promise<OpenBench>;
  /** Stops and removes everything that opening made, also when opening failed half way or never happened. */
  remove(): Promise<void>;
}

/** Every benchmark, in order of `make bench`. */
export const BENCHES: readonly Bench[] = [
  selfCheck,
  podToPod,
  propagation,
  coldSyncAgent,
  cni,
  footprint,
  coldSyncMirror,
  coldSync250k,
  meshChurn,
  failover,
  bfdStalls,
  bgp,
  encrypted,
  rotation,
  rotationScale,
  kem,
];
