import { join } from 'node:path';
import { type Cidr, parseCidr } from '@isthmus/net';
import { type LabPaths, labPaths } from './lab-paths.ts';
import type { Addresses, Place } from './place.ts';
import { type FabricPlan, planFabric, type RackLink, type RackPlan, UPLINKS } from './rack-plan.ts';
import type { ClusterTopology, Load, Topology } from './topology.ts';

export type { Addresses, Place } from './place.ts';

/** A pod's place. Its cgroup lies below its node's: the socket hooks of that node see it. */
export interface PodPlace extends Place {
  readonly name: string;
  readonly cluster: string;
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A node's place: besides a namespace and a cgroup it has its own mounts. */
export interface NodePlace extends Place {
  readonly name: string;
  readonly cluster: string;
  /** In a rack they are on `lo`. */
  readonly addresses: Addresses;
  /** Its devices to the network. */
  readonly devices: readonly string[];
  /** Bound to `/run` inside. */
  readonly run: string;
  /** Bound to `/sys/fs/bpf` inside. */
  readonly bpf: string;
  readonly pods: readonly PodPlace[];
  readonly config: Readonly<Record<string, string>>;
}

/** The place of a cluster's etcds, apiserver and operator. */
export interface ControlPlace extends Place {
  readonly addresses: Addresses;
  /** Certificates, etcd data, configuration. */
  readonly data: string;
}

/** One cluster, with everything named and numbered. */
export interface ClusterPlan {
  readonly name: string;
  readonly id: number;
  readonly topology: ClusterTopology;
  /** The router's bridge to this cluster, and its addresses there; in a rack the ToR's device to the control plane. */
  readonly bridge: string;
  readonly gateway: Addresses;
  /** Prefix lengths of the underlay; in a rack those of a lone address. */
  readonly prefix: { readonly ipv4: number; readonly ipv6: number };
  /** The rack that it is in, where there are racks. */
  readonly rack?: RackPlan;
  readonly control: ControlPlace;
  readonly nodes: readonly NodePlace[];
}

/** A whole lab: a pure function of its name and topology. */
export interface LabPlan {
  readonly name: string;
  readonly paths: LabPaths;
  /** What stands between the clusters' networks; in a lab with racks the route server, whose segment the ToRs are on. */
  readonly router: Place;
  /** In a lab with racks. */
  readonly fabric?: FabricPlan;
  readonly clusters: readonly ClusterPlan[];
  /** Files in lab/manifests that every cluster gets. */
  readonly manifests: readonly string[];
  readonly load: Load;
  /** Whether there may be sniffers when no check asks for them. */
  readonly sniffers: boolean;
}

const ROUTER_HOST = 1;
const CONTROL_HOST = 10;
const FIRST_NODE_HOST = 11;

/** Names and numbers everything in a lab. */
export function planLab(name: string, topology: Topology): LabPlan {
  const paths = labPaths(name);
  const fabric = planFabric(paths, topology);
  const router = { id: 'router', netns: `${paths.netnsPrefix}router`, hostname: 'router', cgroup: join(paths.cgroup, 'router') };
  const clusters = topology.clusters.map((cluster) => planCluster(paths, cluster, fabric));
  const common = { name, paths, clusters, manifests: topology.manifests, load: topology.load, sniffers: topology.sniffers };
  return fabric ? { ...common, router: fabric.routeServer, fabric } : { ...common, router };
}

/** Every place of a lab, router and ToRs first, pods last. */
export function allPlaces(plan: LabPlan): Place[] {
  const nodes = plan.clusters.flatMap((cluster) => cluster.nodes);
  return [
    plan.router,
    ...(plan.fabric?.racks ?? []),
    ...plan.clusters.map((cluster) => cluster.control),
    ...nodes,
    ...nodes.flatMap((node) => node.pods),
  ];
}

/** The places of a cluster that have a cable to its network: the control plane, then the nodes. */
export function stationsOf(cluster: ClusterPlan): (ControlPlace | NodePlace)[] {
  return [cluster.control, ...cluster.nodes];
}

/** Every place of a lab that has a cable. */
export function stations(plan: LabPlan): (ControlPlace | NodePlace)[] {
  return plan.clusters.flatMap(stationsOf);
}

/** The links of a node to its ToR; none where there are no racks. */
export function linksOf(plan: LabPlan, node: Pick<NodePlace, 'cluster' | 'name'>): readonly RackLink[] {
  const all = plan.fabric?.racks.flatMap((rack) => rack.links) ?? [];
  return all.filter((link) => link.cluster === node.cluster && link.node === node.name);
}

function planCluster(paths: LabPaths, topology: ClusterTopology, fabric: FabricPlan | undefined): ClusterPlan {
  const rack = fabric?.racks.find(({ name }) => name === topology.rack);
  const ipv4 = parseCidr(topology.underlay.ipv4) as Cidr;
  const ipv6 = parseCidr(topology.underlay.ipv6) as Cidr;
  const addresses = (host: number): Addresses => ({ ipv4: ipv4.nth(host).toString(), ipv6: ipv6.nth(host).toString() });
  return {
    name: topology.name,
    id: topology.id,
    topology,
    bridge: rack ? `control${topology.id}` : `br${topology.id}`,
    gateway: addresses(ROUTER_HOST),
    prefix: rack ? { ipv4: 32, ipv6: 128 } : { ipv4: ipv4.length, ipv6: ipv6.length },
    ...(rack && { rack }),
    control: { ...place(paths, topology.name, 'control'), addresses: addresses(CONTROL_HOST), data: join(paths.data, topology.name) },
    nodes: topology.nodes.map((node, index) => planNode(paths, topology, node, addresses(FIRST_NODE_HOST + index))),
  };
}

function planNode(paths: LabPaths, cluster: ClusterTopology, node: ClusterTopology['nodes'][number], addresses: Addresses): NodePlace {
  const own = place(paths, cluster.name, node.name);
  const pods = node.pods.map((pod): PodPlace => {
    const cgroup = join(own.cgroup, 'pods', pod.name);
    return { ...place(paths, cluster.name, pod.name), cgroup, ...pod, cluster: cluster.name, node: node.name };
  });
  return {
    ...own,
    name: node.name,
    cluster: cluster.name,
    addresses,
    devices: cluster.rack === undefined ? ['eth0'] : UPLINKS,
    run: join(paths.state, 'nodes', `${cluster.name}-${node.name}`, 'run'),
    bpf: join(paths.bpf, `${cluster.name}-${node.name}`),
    pods,
    config: { ...cluster.config, ...node.config },
  };
}

function place(paths: LabPaths, cluster: string, name: string): Place {
  const joined = `${cluster}-${name}`;
  return { id: `${cluster}/${name}`, netns: `${paths.netnsPrefix}${joined}`, hostname: joined, cgroup: join(paths.cgroup, joined) };
}
