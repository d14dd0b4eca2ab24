import { isthmus } from '../control-plane/isthmus-command.ts';
import type { Lab } from '../lab.ts';
import { applyBgpObjects, RACK_COMMUNITIES, RACK_SERVICE } from '../rack/bgp-objects.ts';
import { FAMILIES, type RackFamily } from '../rack/rack-session.ts';
import { type TorRoute, torKernelHops } from '../rack/tor-view.ts';
import { linksOf, type NodePlace } from '../topology/plan.ts';
import type { RackPlan } from '../topology/rack-plan.ts';
import { podCidrsOf, rackOf, untilRoutes, untilSessionsUp, vipPrefixes } from './bgp-view.ts';
import { type Check, expectThat } from './check.ts';
import { allNodes } from './pairs.ts';
import { hasRacks, racksOf } from './rack.checks.ts';

/** Every node has a session with BFD over each family of each link. */
const sessionsCheck: Check = {
  name: 'bgp-sessions',
  disruptive: false,
  applies: hasRacks,
  async run(lab) {
    await untilSessionsUp(lab);
    const links = racksOf(lab).flatMap((rack) => rack.links);
    const guarded = links.filter(({ password }) => password !== undefined).length;
    return `${links.length * FAMILIES.length} sessions with BFD over ${links.length} links, ${guarded} of them with a password`;
  },
};

/** What is announced, who announces it, and what must be said with it. */
interface Announced {
  readonly prefix: string;
  readonly family: RackFamily;
  readonly nodes: readonly NodePlace[];
  readonly communities: readonly string[];
  readonly largeCommunities: readonly string[];
}

/** The pod CIDRs of all nodes and the service's addresses are in every ToR's table, with their attributes, and in its kernel. */
const routesCheck: Check = {
  name: 'bgp-routes',
  disruptive: false,
  applies: hasRacks,
  async run(lab) {
    await untilSessionsUp(lab);
    const all = [...(await podRoutes(lab)), ...(await vipRoutes(lab))];
    for (const announced of all) for (const tor of racksOf(lab)) await expectAnnounced(lab, tor, announced);
    return `${all.length} prefixes in ${racksOf(lab).length} ToRs with next hops, AS paths and communities, and in their kernels`;
  },
};

async function podRoutes(lab: Lab): Promise<Announced[]> {
  const each = allNodes(lab).map(async (node) => {
    const cidrs = await podCidrsOf(node);
    const said = { nodes: [node], communities: [RACK_COMMUNITIES.pods], largeCommunities: [] };
    return FAMILIES.map((family): Announced => ({ prefix: cidrs[family], family, ...said }));
  });
  return (await Promise.all(each)).flat();
}

async function vipRoutes(lab: Lab): Promise<Announced[]> {
  const each = lab.plan.clusters.map(async (cluster) => {
    const vips = await vipPrefixes(lab, cluster);
    const said = { nodes: cluster.nodes, communities: [RACK_COMMUNITIES.service], largeCommunities: [RACK_COMMUNITIES.serviceLarge] };
    return FAMILIES.map((family): Announced => ({ prefix: vips[family], family, ...said }));
  });
  return (await Promise.all(each)).flat();
}

/** In its own rack a prefix comes over every link of every node that announces it; in another one once, by way of the route server. */
async function expectAnnounced(lab: Lab, tor: RackPlan, { prefix, family, nodes, ...attributes }: Announced): Promise<void> {
  const own = nodes.some((node) => rackOf(lab, node).id === tor.id);
  const links = nodes.flatMap((node) => linksOf(lab.plan, node));
  const [first] = nodes;
  const via = first ? rackOf(lab, first) : tor;
  const hops = own ? links.map((link) => link.own[family]) : [via.addresses[family]];
  const paths = links.map(({ asn }) => (own ? `${asn}` : `${via.asn} ${asn}`));
  const problem = (routes: readonly TorRoute[]): string => {
    const seen = routes.map(({ nextHop }) => nextHop);
    if (!sameSet(seen, hops)) return `${tor.id}: ${prefix} by ${seen.join(', ') || 'nobody'} instead of ${hops.join(', ')}`;
    return routes.map((route) => attributeProblem(tor, route, { paths, ...attributes })).find((text) => text !== '') ?? '';
  };
  await untilRoutes(lab, tor, prefix, problem);
  const kernel = await torKernelHops(lab, tor, prefix);
  // IPv6 next hops in the kernel may be the neighbours' link-local addresses.
  expectThat(kernel.length === hops.length, `${tor.id}: its kernel sends ${prefix} to ${kernel.join(', ') || 'nobody'}`);
}

function attributeProblem(
  tor: RackPlan,
  route: TorRoute,
  wanted: { paths: readonly string[]; communities: readonly string[]; largeCommunities: readonly string[] },
): string {
  const path = route.asPath.join(' ');
  if (!wanted.paths.includes(path)) return `${tor.id}: ${route.prefix} has the path ${path}`;
  if (!sameSet(route.communities, wanted.communities))
    return `${tor.id}: ${route.prefix} has the communities ${route.communities.join(' ')}`;
  const large = route.largeCommunities;
  return sameSet(large, wanted.largeCommunities) ? '' : `${tor.id}: ${route.prefix} has the large communities ${large.join(' ')}`;
}

function sameSet(one: readonly string[], other: readonly string[]): boolean {
  return JSON.stringify([...one].sort()) === JSON.stringify([...other].sort());
}

/** A service that is deleted, and a node that no configuration selects any more, are withdrawn from every ToR; back, they are announced again. */
const withdrawnCheck: Check = {
  name: 'bgp-withdrawn',
  disruptive: true,
  applies: hasRacks,
  async run(lab) {
    const [cluster] = lab.plan.clusters;
    const node = cluster?.nodes.at(-1);
    expectThat(cluster !== undefined && node !== undefined, 'there is no node');
    const [vips, cidrs] = [await vipPrefixes(lab, cluster), await podCidrsOf(node)];
    const words = (kind: string, name: string): string[] => ['delete', kind, name, '--context', cluster.name];
    const gone = (routes: readonly TorRoute[]): string => (routes.length === 0 ? '' : `${routes.length} routes are left`);
    try {
      await isthmus(lab.plan, cluster.control, words('service', RACK_SERVICE));
      for (const tor of racksOf(lab)) for (const family of FAMILIES) await untilRoutes(lab, tor, vips[family], gone);
      await isthmus(lab.plan, cluster.control, words('ciliumbgpclusterconfig', `rack-${node.name}`));
      for (const tor of racksOf(lab)) for (const family of FAMILIES) await untilRoutes(lab, tor, cidrs[family], gone);
    } finally {
      await applyBgpObjects(lab.plan, cluster);
    }
    const there = (routes: readonly TorRoute[]): string => (routes.length > 0 ? '' : 'there is no route');
    for (const tor of racksOf(lab)) for (const family of FAMILIES) await untilRoutes(lab, tor, cidrs[family], there);
    const again = await vipPrefixes(lab, cluster);
    for (const tor of racksOf(lab)) for (const family of FAMILIES) await untilRoutes(lab, tor, again[family], there);
    await untilSessionsUp(lab);
    return `${RACK_SERVICE} and ${node.id}: gone from ${racksOf(lab).length} ToRs, and there again`;
  },
};

/** What is in the ToRs' tables, and when it is not. */
export const bgpRouteChecks: readonly Check[] = [sessionsCheck, routesCheck, withdrawnCheck];
