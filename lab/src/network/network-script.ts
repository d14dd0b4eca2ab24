import { allPlaces, type ClusterPlan, type LabPlan, type Place, stations, stationsOf } from '../topology/plan.ts';
import { addressLines, type Batch, UNDERLAY_MTU } from './batch.ts';
import { cableName, cablesOf } from './cable.ts';
import { RACK_SYSCTLS, rackBatches } from './rack-script.ts';

/** Settings of the kernel in every namespace of a lab: routers without spoofing checks, and addresses that can be used at once. */
const NAMESPACE_SYSCTLS: readonly string[] = [
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

/** The settings of every namespace of this lab; of a lab with a router unless given. */
export function namespaceSysctls(plan?: LabPlan): readonly string[] {
  return plan?.fabric ? [...NAMESPACE_SYSCTLS, ...RACK_SYSCTLS] : NAMESPACE_SYSCTLS;
}

/**
 * How the underlay is built: racks, or a bridge per cluster in the router's namespace, a cable from it to the control plane and to each node,
 * whose default route is the router. Every device is born inside its namespace; the machine's own namespace never sees one.
 */
export function networkBatches(plan: LabPlan): Batch[] {
  const loopbacks = allPlaces(plan).map((place): Batch => ({ netns: place.netns, lines: ['link set lo up'] }));
  const cables = plan.fabric ? rackBatches(plan, plan.fabric) : plan.clusters.flatMap((cluster) => clusterBatches(plan.router, cluster));
  return [...loopbacks, ...cables];
}

function clusterBatches(router: Place, cluster: ClusterPlan): Batch[] {
  const { bridge } = cluster;
  const stations = stationsOf(cluster);
  const bridgeLines = [
    `link add ${bridge} mtu ${UNDERLAY_MTU} type bridge`,
    ...addressLines(bridge, cluster.gateway, cluster.prefix),
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
        ...addressLines('eth0', station.addresses, cluster.prefix),
        `route add default via ${cluster.gateway.ipv4}`,
        `route add default via ${cluster.gateway.ipv6}`,
      ],
    }),
  );
  return [{ netns: router.netns, lines: [...bridgeLines, ...cables] }, ...ends];
}

/**
 * Lines of `tc -batch` for the router or the ToRs: a hook at every cable. It is there from the start because adding one to a cable in use loses
 * packets that are just being sent, and faults must lose only what they say.
 */
export function hookBatches(plan: LabPlan): Batch[] {
  const cables = stations(plan).flatMap((station) => cablesOf(plan, station));
  return [...new Set(cables.map(({ netns }) => netns))].map((netns) => ({
    netns,
    lines: cables.filter((cable) => cable.netns === netns).map(({ device }) => `qdisc add dev ${device} clsact`),
  }));
}
