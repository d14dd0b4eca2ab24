import { CodedError } from '@isthmus/core';
import { LAB_NO_SUCH } from '../lab.errors.ts';
import { type Addresses, allPlaces, type ClusterPlan, type LabPlan, type Place, stationsOf } from '../topology/plan.ts';

/** Ethernet, as between ordinary machines. */
const UNDERLAY_MTU = 1500;

/** Lines of `ip -batch` for one namespace. */
export interface Batch {
  readonly netns: string;
  readonly lines: readonly string[];
}

/** Settings of the kernel in every namespace of a lab: routers without spoofing checks, and addresses that can be used at once. */
export const NAMESPACE_SYSCTLS: readonly string[] = [
  'net.ipv4.ip_forward=1',
  'net.ipv4.conf.all.rp_filter=0',
  'net.ipv4.conf.default.rp_filter=0',
  'net.ipv6.conf.all.forwarding=1',
  'net.ipv6.conf.default.forwarding=1',
  'net.ipv6.conf.all.accept_dad=0',
  'net.ipv6.conf.default.accept_dad=0',
  'net.ipv6.conf.all.disable_ipv6=0',
  'net.ipv6.conf.default.disable_ipv6=0',
];

/**
 * How the underlay is built: a bridge per cluster in the router's namespace, a cable from it to the control plane and to each node,
 * whose default route is the router. Every device is born inside its namespace; the machine's own namespace never sees one.
 */
export function networkBatches(plan: LabPlan): Batch[] {
  const loopbacks = allPlaces(plan).map((place): Batch => ({ netns: place.netns, lines: ['link set lo up'] }));
  return [...loopbacks, ...plan.clusters.flatMap((cluster) => clusterBatches(plan.router, cluster))];
}

function clusterBatches(router: Place, cluster: ClusterPlan): Batch[] {
  const { bridge } = cluster;
  const stations = stationsOf(cluster);
  const bridgeLines = [
    `link add ${bridge} mtu ${UNDERLAY_MTU} type bridge`,
    ...addressLines(bridge, cluster.gateway, cluster),
    `link set ${bridge} up`,
  ];
  const cables = stations.flatMap((station, index) => [
    `link add ${cableName(cluster, index)} mtu ${UNDERLAY_MTU} type veth peer name eth0 mtu ${UNDERLAY_MTU} netns ${station.netns}`,
    `link set ${cableName(cluster, index)} master ${bridge} up`,
  ]);
  const ends = stations.map(
    (station): Batch => ({
      netns: station.netns,
      lines: [
        'link set eth0 up',
        ...addressLines('eth0', station.addresses, cluster),
        `route add default via ${cluster.gateway.ipv4}`,
        `route add default via ${cluster.gateway.ipv6}`,
      ],
    }),
  );
  return [{ netns: router.netns, lines: [...bridgeLines, ...cables] }, ...ends];
}

/**
 * Lines of `tc -batch` for the router: a hook at every cable. It is there from the start because adding one to a cable in use loses packets
 * that are just being sent, and faults must lose only what they say.
 */
export function hookLines(plan: LabPlan): string[] {
  return plan.clusters.flatMap((cluster) => stationsOf(cluster).map((_, index) => `qdisc add dev ${cableName(cluster, index)} clsact`));
}

function cableName({ bridge }: ClusterPlan, index: number): string {
  return `${bridge}p${index}`;
}

/**
 * The router's end of the cable to a node or control plane.
 * @throws CodedError LAB_NO_SUCH for a place that has none
 */
export function cableOf(plan: LabPlan, place: Place): string {
  for (const cluster of plan.clusters) {
    const index = stationsOf(cluster).findIndex((station) => station.id === place.id);
    if (index >= 0) return cableName(cluster, index);
  }
  throw new CodedError(LAB_NO_SUCH, `${place.id} has no cable: only nodes and control planes have`, { object: place.id });
}

function addressLines(device: string, addresses: Addresses, { prefix }: ClusterPlan): string[] {
  return [`address add ${addresses.ipv4}/${prefix.ipv4} dev ${device}`, `address add ${addresses.ipv6}/${prefix.ipv6} dev ${device} nodad`];
}
