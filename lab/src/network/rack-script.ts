import { type ClusterPlan, type LabPlan, linksOf, type NodePlace } from '../topology/plan.ts';
import { type FabricPlan, LINK_PREFIX, type RackLink, type RackPlan } from '../topology/rack-plan.ts';
import { addressLines, type Batch, UNDERLAY_MTU } from './batch.ts';

/**
 * Settings of the kernel in every namespace of a lab with racks: what has several next hops spreads flows by their ports, a next hop behind a
 * link without carrier is none, and a device keeps its IPv6 addresses while it is down.
 */
export const RACK_SYSCTLS: readonly string[] = [
  'net.ipv4.fib_multipath_hash_policy=1',
  'net.ipv6.fib_multipath_hash_policy=1',
  ...['ipv4', 'ipv6'].flatMap((family) => ['all', 'default'].map((all) => `net.${family}.conf.${all}.ignore_routes_with_linkdown=1`)),
  'net.ipv6.conf.all.keep_addr_on_down=1',
  'net.ipv6.conf.default.keep_addr_on_down=1',
];

const MTU = `mtu ${UNDERLAY_MTU}`;

/**
 * How racks are built: a bridge in the route server's namespace that all ToRs are on, two cables from each node to its ToR, one from each
 * control plane. Static routes lead to all of these, so that nothing but what is routed by BGP depends on BGP.
 */
export function rackBatches(plan: LabPlan, fabric: FabricPlan): Batch[] {
  return [
    segmentBatch(fabric),
    ...fabric.racks.flatMap((rack) => [
      torBatch(plan, fabric, rack),
      ...clustersOf(plan, rack).flatMap((cluster) => endBatches(plan, cluster)),
    ]),
    ...fabric.racks.map((rack): Batch => ({ netns: rack.netns, lines: torRouteLines(plan, rack) })),
  ];
}

/** A ToR's static routes: to what is in its rack, and by way of the other ToRs to what is in theirs. Lines that can be run again. */
export function torRouteLines(plan: LabPlan, rack: RackPlan): string[] {
  const others = plan.fabric?.racks.filter(({ id }) => id !== rack.id) ?? [];
  return [
    ...clustersOf(plan, rack).flatMap((cluster) => ownRouteLines(plan, cluster)),
    ...others.flatMap((other) => routesBehind(plan, other)),
  ];
}

function clustersOf(plan: LabPlan, rack: RackPlan): ClusterPlan[] {
  return plan.clusters.filter((cluster) => cluster.rack?.id === rack.id);
}

function segmentBatch({ device, prefix, routeServer, racks }: FabricPlan): Batch {
  const cables = racks.flatMap((rack, index) => [
    `link add ${device}${index} ${MTU} type veth peer name ${device} ${MTU} netns ${rack.netns}`,
    `link set ${device}${index} master ${device} up`,
  ]);
  const bridge = `link add ${device} ${MTU} type bridge`;
  return {
    netns: routeServer.netns,
    lines: [bridge, ...addressLines(device, routeServer.addresses, prefix), `link set ${device} up`, ...cables],
  };
}

function torBatch(plan: LabPlan, { device, prefix }: FabricPlan, rack: RackPlan): Batch {
  const links = rack.links.flatMap((link) => [
    `link add ${link.port} ${MTU} type veth peer name ${link.device} ${MTU} netns ${nodeOfLink(plan, link).netns}`,
    ...addressLines(link.port, link.tor, LINK_PREFIX),
    `link set ${link.port} up`,
  ]);
  const controls = clustersOf(plan, rack).flatMap((cluster) => [
    `link add ${cluster.bridge} ${MTU} type veth peer name eth0 ${MTU} netns ${cluster.control.netns}`,
    ...addressLines(cluster.bridge, cluster.gateway, cluster.prefix),
    `link set ${cluster.bridge} up`,
  ]);
  return { netns: rack.netns, lines: [...addressLines(device, rack.addresses, prefix), `link set ${device} up`, ...links, ...controls] };
}

function endBatches(plan: LabPlan, { control, gateway, prefix, nodes }: ClusterPlan): Batch[] {
  const families = ['ipv4', 'ipv6'] as const;
  const lines = [
    'link set eth0 up',
    ...addressLines('eth0', control.addresses, prefix),
    ...families.flatMap((family) => [
      `route add ${gateway[family]}/${prefix[family]} dev eth0`,
      `route add ${ANYWHERE[family]} via ${gateway[family]} dev eth0`,
    ]),
  ];
  return [{ netns: control.netns, lines }, ...nodes.map((node) => nodeBatch(plan, node))];
}

/** A node sends from its address on `lo`, which stays reachable over the other link when one is cut. */
function nodeBatch(plan: LabPlan, node: NodePlace): Batch {
  const links = linksOf(plan, node);
  const families = ['ipv4', 'ipv6'] as const;
  const lines = [
    ...addressLines('lo', node.addresses, { ipv4: 32, ipv6: 128 }),
    ...links.flatMap((link) => [`link set ${link.device} up`, ...addressLines(link.device, link.own, LINK_PREFIX)]),
    ...families.map((family) => {
      const hops = links.map((link) => `nexthop via ${link.tor[family]} dev ${link.device}`).join(' ');
      return `route add ${ANYWHERE[family]} src ${node.addresses[family]} ${hops}`;
    }),
  ];
  return { netns: node.netns, lines };
}

/** `default` alone does not tell which family is meant. */
const ANYWHERE = { ipv4: '0.0.0.0/0', ipv6: '::/0' } as const;

function ownRouteLines(plan: LabPlan, { bridge, control, nodes }: ClusterPlan): string[] {
  const toControl = hosts(control.addresses).map(({ host }) => `route replace ${host} dev ${bridge}`);
  const toNodes = nodes.flatMap((node) =>
    hosts(node.addresses).map(({ family, host }) => {
      const hops = linksOf(plan, node).map((link) => `nexthop via ${link.own[family]} dev ${link.port}`);
      return `route replace ${host} ${hops.join(' ')}`;
    }),
  );
  return [...toControl, ...toNodes];
}

function routesBehind(plan: LabPlan, rack: RackPlan): string[] {
  const stations = clustersOf(plan, rack).flatMap(({ control, nodes }) => [control, ...nodes]);
  return stations.flatMap(({ addresses }) =>
    hosts(addresses).map(({ family, host }) => `route replace ${host} via ${rack.addresses[family]}`),
  );
}

function hosts({ ipv4, ipv6 }: { ipv4: string; ipv6: string }): { family: 'ipv4' | 'ipv6'; host: string }[] {
  return [
    { family: 'ipv4', host: `${ipv4}/32` },
    { family: 'ipv6', host: `${ipv6}/128` },
  ];
}

function nodeOfLink(plan: LabPlan, link: RackLink): NodePlace {
  const nodes = plan.clusters.flatMap((cluster) => cluster.nodes);
  return nodes.find((node) => node.cluster === link.cluster && node.name === link.node) as NodePlace;
}
