import type { Lab } from '../lab.ts';
import type { NodePlace, Place, PodPlace } from '../topology/plan.ts';

/** How two places of a lab stand to each other. */
export const RELATIONS = ['same-node', 'across-nodes', 'across-clusters'] as const;
/** One of {@link RELATIONS}. */
export type Relation = (typeof RELATIONS)[number];

/** A sender and a receiver. */
export interface Pair<From extends Place = Place, To extends Place = Place> {
  readonly from: From;
  readonly to: To;
}

/** Every pod of a lab. */
export function allPods(lab: Pick<Lab, 'plan'>): PodPlace[] {
  return allNodes(lab).flatMap((node) => node.pods);
}

/** Every node of a lab. */
export function allNodes(lab: Pick<Lab, 'plan'>): NodePlace[] {
  return lab.plan.clusters.flatMap((cluster) => cluster.nodes);
}

/** The pods whose label `app` is this, of one cluster or of all. */
export function podsOfApp(lab: Pick<Lab, 'plan'>, app: string, cluster?: string): PodPlace[] {
  return allPods(lab).filter((pod) => pod.labels['app'] === app && (cluster === undefined || pod.cluster === cluster));
}

/** The node that a pod is on. */
export function nodeOf(lab: Lab, pod: PodPlace): NodePlace {
  return lab.node(pod.cluster, pod.node);
}

/** Every ordered pair of two different pods that stand so to each other. */
export function podPairs(lab: Pick<Lab, 'plan'>, relation: Relation): Pair<PodPlace, PodPlace>[] {
  return pairs(allPods(lab), allPods(lab), relation).filter(({ from, to }) => from.id !== to.id);
}

/** Every node with every pod that stands so to it. */
export function nodePodPairs(lab: Pick<Lab, 'plan'>, relation: Relation): Pair<NodePlace, PodPlace>[] {
  return pairs(allNodes(lab), allPods(lab), relation);
}

function pairs<From extends NodePlace | PodPlace, To extends NodePlace | PodPlace>(
  all: readonly From[],
  others: readonly To[],
  relation: Relation,
): Pair<From, To>[] {
  return all.flatMap((from) => others.filter((to) => relationOf(from, to) === relation).map((to) => ({ from, to })));
}

function relationOf(a: NodePlace | PodPlace, b: NodePlace | PodPlace): Relation {
  if (a.cluster !== b.cluster) return 'across-clusters';
  return nodeName(a) === nodeName(b) ? 'same-node' : 'across-nodes';
}

function nodeName(place: NodePlace | PodPlace): string {
  return 'node' in place ? place.node : place.name;
}

/** Whether a node sends to other nodes through the tunnel, and in no other way. */
export function isTunnelled({ config }: Pick<NodePlace, 'config'>): boolean {
  return (config['routing-mode'] ?? 'tunnel') === 'tunnel';
}
