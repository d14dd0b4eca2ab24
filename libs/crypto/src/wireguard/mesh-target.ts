import { deviceOf, type Epoch, isEpoch, mayJoinAt, meetingTarget } from './epoch.ts';

/** What a cluster says that the mesh is to be at. */
export interface ClusterTarget {
  readonly cluster: string;
  readonly target: Epoch;
}

/**
 * The epoch that a node is to be at: the greatest that a cluster asks for, or the next one where that could not be put on a device because nodes send to
 * each other by another epoch of the same one (clusters that meet at 8 and 42). It never goes back behind an epoch that a node has keys of.
 * @param own this node's cluster, and the newest epoch that it has keys of; 0 for none
 * @param targets of all clusters. One too far ahead of this cluster and node is not listened to: epochs are not to be used up
 * @param live epochs of each node that publishes any
 */
export function meshTarget(
  own: { cluster: string; newest: Epoch },
  targets: readonly ClusterTarget[],
  live: readonly (readonly Epoch[])[],
): Epoch {
  const from = Math.max(own.newest, ...targets.filter(({ cluster }) => cluster === own.cluster).map(({ target }) => target));
  const heard = targets.map(({ target }) => target).filter((target) => isEpoch(target) && (target <= from || mayJoinAt(from, target)));
  const published = live.flat().filter((epoch) => mayJoinAt(from, epoch));
  const greatest = Math.max(from, ...heard, ...published);
  // The mesh is on its way there from the one before: what is on the device is kept for nodes that are behind, and has its time.
  const isStep = live.some((epochs) => epochs.includes(greatest - 1));
  return greatest === 0 || isStep ? greatest : meetingTarget([greatest], shared(live, greatest));
}

/** Epochs that two nodes have at least, which may send to each other by them. One that a single node still has stands in nobody's way. */
function shared(live: readonly (readonly Epoch[])[], greatest: Epoch): Epoch[] {
  const count = new Map<Epoch, number>();
  for (const epochs of live) for (const epoch of epochs) count.set(epoch, (count.get(epoch) ?? 0) + 1);
  return [...count].filter(([epoch, nodes]) => nodes > 1 && deviceOf(epoch) === deviceOf(greatest)).map(([epoch]) => epoch);
}
