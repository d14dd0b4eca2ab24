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

/** An epoch that another cluster brings the mesh to. */
export interface WantedEpoch {
  readonly epoch: Epoch;
  readonly cluster: string;
}

/** What a node makes of all targets. */
export interface MeshTarget {
  /** What it is to be at. */
  readonly epoch: Epoch;
  /** Nobody has said so: it follows from what nodes have keys of. See {@link MeetingPatience}. */
  readonly meets?: true;
  /** The next one, where another cluster is there, or wants it. The own cluster has to agree. */
  readonly wanted?: WantedEpoch;
  /** Targets too far ahead, which are not listened to: epochs are not to be used up. */
  readonly ignored: readonly ClusterTarget[];
}

/**
 * The epoch that a node is to be at, which is for its own cluster alone to say: the cluster's target, or what its nodes have already; or the next one where
 * that could not be put on a device because those nodes send to each other by another epoch of the same one (a cluster at 8 that joined one at 42). It
 * never goes back behind an epoch that a node has keys of.
 *
 * Other clusters can want but the next one. Nodes publish that, and the own cluster's operator takes it into the cluster's target when it is time
 * (`adoption`): so no other cluster sets the pace, and all nodes agree whatever each of them has seen. What is further ahead is ignored: it was not
 * agreed upon when the clusters were connected.
 * @param own this node's cluster, and the newest epoch that it has keys of; 0 for none
 * @param targets of all clusters
 * @param live of each node that publishes any
 */
export function meshTarget(
  own: { cluster: string; newest: Epoch },
  targets: readonly ClusterTarget[],
  live: readonly LiveEpochs[],
): MeshTarget {
  const isOwn = ({ cluster }: { cluster: string }): boolean => cluster === own.cluster;
  const here = live.filter(isOwn);
  const greatest = greatestOwn(own.newest, targets.filter(isOwn), here);
  const epoch = ownTarget(greatest, here);
  // Before the own cluster has a target there is nothing to compare others with.
  const cluster = epoch === 0 ? undefined : firstOtherAt(epoch + 1, own.cluster, targets, live);
  const isFar = (each: ClusterTarget): boolean => (isOwn(each) ? !mayJoinAt(epoch, each.target) : epoch > 0 && each.target > epoch + 1);
  return {
    epoch,
    ...(epoch > greatest && { meets: true }),
    ...(cluster !== undefined && { wanted: { epoch: epoch + 1, cluster } }),
    ignored: targets.filter(isFar),
  };
}

/** The other cluster that wants an epoch, or has a node there; of several the first by name. Asked for at every look, of a thousand nodes. */
function firstOtherAt(epoch: Epoch, own: string, targets: readonly ClusterTarget[], live: readonly LiveEpochs[]): string | undefined {
  let first: string | undefined;
  const see = (cluster: string): void => {
    if (cluster !== own && (first === undefined || cluster < first)) first = cluster;
  };
  for (const { cluster, target } of targets) if (target === epoch) see(cluster);
  for (const { cluster, epochs } of live) if (epochs.includes(epoch)) see(cluster);
  return first;
}

/**
 * Whether a node has to say anew what other clusters want, though nothing else about it has changed. That its own cluster is there now, too, is said together with
 * the key of that epoch, which comes next: everybody in the mesh reads each record.
 * @param published what the store has of the node
 */
export function hasNewsOfWanted(
  { epoch, wanted }: Pick<MeshTarget, 'epoch' | 'wanted'>,
  published: { readonly epochs: readonly { readonly epoch: Epoch }[]; readonly wanted?: WantedEpoch | undefined },
): boolean {
  if (wanted === undefined && published.epochs.every((each) => each.epoch < epoch)) return false;
  return wanted?.epoch !== published.wanted?.epoch || wanted?.cluster !== published.wanted?.cluster;
}

/** The greatest epoch that the own cluster wants or has. */
function greatestOwn(newest: Epoch, targets: readonly ClusterTarget[], here: readonly LiveEpochs[]): Epoch {
  let from = newest;
  for (const { epochs } of here) from = Math.max(from, ...epochs);
  return Math.max(from, ...targets.map(({ target }) => target).filter((target) => mayJoinAt(from, target)));
}

function ownTarget(greatest: Epoch, here: readonly LiveEpochs[]): Epoch {
  // The cluster is on its way there from the one before: what is on the device is kept for nodes that are behind, and has its time.
  if (greatest === 0 || here.some(({ epochs }) => epochs.includes(greatest - 1))) return greatest;
  return meetingTarget([greatest], shared(here, greatest));
}

/** Epochs that two nodes have at least, which may send to each other by them. One that a single node still has stands in nobody's way. */
function shared(live: readonly LiveEpochs[], greatest: Epoch): Epoch[] {
  const count = new Map<Epoch, number>();
  for (const { epochs } of live) for (const epoch of epochs) count.set(epoch, (count.get(epoch) ?? 0) + 1);
  return [...count].filter(([epoch, nodes]) => nodes > 1 && deviceOf(epoch) === deviceOf(greatest)).map(([epoch]) => epoch);
}
