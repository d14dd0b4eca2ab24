import type { Epoch } from './epoch.ts';

/** How many changes other clusters may ask for at once. */
const BURST = 8;
/** What stands before the name of the cluster in the history of a target that it has brought about. */
const BY_CLUSTER = 'cluster ';

/** A change of the own cluster's target, as its history has it. */
export interface PastChange {
  /** RFC 3339 */
  readonly at: string;
  readonly by: string;
}

/** Who has brought a target about that another cluster wanted. */
export function byCluster(cluster: string): string {
  return `${BY_CLUSTER}${cluster}`;
}

/**
 * Whether the own cluster may follow others once more now: {@link BURST} times in as many intervals, at any pace. It is told from the history of the
 * target, which the operators write together with the target itself: there is nothing else to keep, and a new leader counts on. It is one count for all
 * other clusters, so that many are no faster than one.
 * @param history what was later than now was by another clock, and does not count
 * @param now wall time, milliseconds since 1970
 */
export function mayFollow(history: readonly PastChange[], now: number, intervalMs: number): boolean {
  const ages = history.filter(({ by }) => by.startsWith(BY_CLUSTER)).map(({ at }) => now - Date.parse(at));
  return ages.filter((age) => age >= 0 && age < BURST * intervalMs).length < BURST;
}

/** What some nodes say that others want of their cluster beyond its target; undefined: nothing. */
export function nextWanted<T extends { readonly epoch: Epoch }>(target: Epoch, wanted: Iterable<T | undefined>): T | undefined {
  return [...wanted].find((each) => each?.epoch === target + 1);
}
