import { deviceOf, type Epoch, mayJoinAt, meetingTarget } from './epoch.ts';

/** What a cluster says that the mesh is to be at. */
export interface ClusterTarget {
  readonly cluster: string;
  readonly target: Epoch;
}

/** What nodes publish of their keys. */
export interface LiveEpochs {
  readonly cluster: string;
  readonly epochs: readonly Epoch[];
}

/** What a node makes of all targets. */
export interface MeshTarget {
  readonly epoch: Epoch;
  /** Targets too far ahead, which are not listened to: epochs are not to be used up. */
  readonly ignored: readonly ClusterTarget[];
}

/**
 * The epoch that a node is to be at: the greatest that a cluster asks for, or the next one where that could not be put on a device because nodes send to
 * each other by another epoch of the same one (clusters that meet at 8 and 42). It never goes back behind an epoch that a node has keys of.
 * @param own this node's cluster, and the newest epoch that it has keys of; 0 for none
 * @param targets of all clusters
 * @param live of each node that publishes any
 */
export function meshTarget(
  own: { cluster: string; newest: Epoch },
  targets: readonly ClusterTarget[],
  live: readonly LiveEpochs[],
): MeshTarget {
  const here = live.filter(({ cluster }) => cluster === own.cluster).flatMap(({ epochs }) => epochs);
  const from = Math.max(own.newest, ...here);
  const isNear = (epoch: Epoch): boolean => mayJoinAt(from, epoch);
  const published = live.flatMap(({ epochs }) => epochs).filter(isNear);
  const greatest = Math.max(from, ...targets.map(({ target }) => target).filter(isNear), ...published);
  // The mesh is on its way there from the one before: what is on the device is kept for nodes that are behind, and has its time.
  const isStep = published.includes(greatest - 1);
  const epoch = greatest === 0 || isStep ? greatest : meetingTarget([greatest], shared(live, greatest));
  return { epoch, ignored: targets.filter(({ target }) => !isNear(target)) };
}

/** Epochs that two nodes have at least, which may send to each other by them. One that a single node still has stands in nobody's way. */
function shared(live: readonly LiveEpochs[], greatest: Epoch): Epoch[] {
  const count = new Map<Epoch, number>();
  for (const { epochs } of live) for (const epoch of epochs) count.set(epoch, (count.get(epoch) ?? 0) + 1);
  return [...count].filter(([epoch, nodes]) => nodes > 1 && deviceOf(epoch) === deviceOf(greatest)).map(([epoch]) => epoch);
}
