import type { Epoch } from './epoch.ts';
import type { MeshTarget } from './mesh-target.ts';

/** What a node that was cut off reads comes in any order: its cluster's target before what other nodes have by now. */
const PATIENCE_MS = 5_000;

/**
 * Has a node wait before it goes to an epoch that nobody has said, because its cluster's nodes are in the way of the one that was: what it knows of them may
 * be old, and the whole mesh would follow it there. Where clusters do meet, it is all the same some seconds later.
 */
export class MeetingPatience {
  /** The epoch, and since when; monotonic, ms. */
  #epoch: Epoch = 0;
  #since = 0;

  /** The target as the node is to take it now. @param newest epoch that it has keys of @param now monotonic, ms */
  settled(target: MeshTarget, newest: Epoch, now: number): MeshTarget {
    if (!target.meets || target.epoch <= newest) {
      this.#epoch = 0;
      return target;
    }
    if (this.#epoch !== target.epoch) [this.#epoch, this.#since] = [target.epoch, now];
    return now - this.#since < PATIENCE_MS ? { epoch: newest, ignored: target.ignored } : target;
  }
}
