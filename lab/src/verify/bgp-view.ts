import type { NodeRow } from '@isthmus/model';
import { isthmus } from '../control-plane/isthmus-command.ts';
import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { RACK_SERVICE } from '../rack/bgp-objects.ts';
import { FAMILIES, type RackFamily } from '../rack/rack-session.ts';
import { type TorRoute, torRoutes, torSession } from '../rack/tor-view.ts';
import { type Addresses, type ClusterPlan, linksOf, type NodePlace } from '../topology/plan.ts';
import type { RackLink, RackPlan } from '../topology/rack-plan.ts';
import { tableRows } from './agent-view.ts';
import { CheckFailed, expectThat } from './check.ts';
import { allNodes } from './pairs.ts';

/** How long anything of BGP may take before it counts as not happening: sessions wait a second between attempts. */
export const BGP_TIMEOUT_MS = 30_000;

/** The rack of a node. @throws CheckFailed when it is in none */
export function rackOf(lab: Lab, node: NodePlace): RackPlan {
  const { rack } = lab.cluster(node.cluster);
  if (rack) return rack;
  throw new CheckFailed(`${node.id} is in no rack`);
}

/** The pod CIDR of a node, of each family. @throws CheckFailed */
export async function podCidrsOf(node: NodePlace): Promise<Addresses> {
  const [found] = await tableRows<NodeRow>(node, 'nodes', `${node.cluster}/${node.name}`);
  return perFamily(found?.row.podCidrs ?? [], `${node.id}: pod CIDRs`);
}

/** The addresses that the ToRs learn of the cluster's LoadBalancer service, as prefixes. @throws CheckFailed while it has none */
export async function vipPrefixes(lab: Lab, cluster: ClusterPlan): Promise<Addresses> {
  const words = ['get', 'service', RACK_SERVICE, '--context', cluster.name, '-o', 'json'];
  const service = JSON.parse(await isthmus(lab.plan, cluster.control, words)) as {
    status?: { loadBalancer?: { ingress?: readonly { ip?: string }[] } };
  };
  const ips = service.status?.loadBalancer?.ingress?.flatMap(({ ip }) => ip ?? []) ?? [];
  const { ipv4, ipv6 } = perFamily(ips, `${cluster.name}: addresses of ${RACK_SERVICE}`);
  return { ipv4: `${ipv4}/32`, ipv6: `${ipv6}/128` };
}

function perFamily(texts: readonly string[], what: string): Addresses {
  const [ipv4, ipv6] = [texts.find((text) => !text.includes(':')), texts.find((text) => text.includes(':'))];
  expectThat(ipv4 !== undefined && ipv6 !== undefined, `${what} are ${texts.join(', ') || 'not there'}`);
  return { ipv4, ipv6 };
}

/** Waits until a ToR's routes to a prefix are right, and answers them. @param problem what is wrong with them; empty when nothing is */
export async function untilRoutes(
  lab: Lab,
  tor: RackPlan,
  prefix: string,
  problem: (routes: readonly TorRoute[]) => string,
): Promise<TorRoute[]> {
  let routes: TorRoute[] = [];
  const right = async (): Promise<boolean> => {
    routes = await torRoutes(lab, tor, prefix);
    return problem(routes) === '';
  };
  await waitUntil(right, { what: `the routes of ${tor.id} to ${prefix}`, timeoutMs: BGP_TIMEOUT_MS, onTimeout: () => problem(routes) });
  return routes;
}

/** One session of a node, and what it is called: `east/n1 up0 ipv4`. */
export interface NodeSession {
  readonly node: NodePlace;
  readonly link: RackLink;
  readonly family: RackFamily;
  readonly name: string;
}

/** Every session of every node with its ToR. */
export function nodeSessions(lab: Lab): NodeSession[] {
  return allNodes(lab).flatMap((node) =>
    linksOf(lab.plan, node).flatMap((link) =>
      FAMILIES.map((family) => ({ node, link, family, name: `${node.id} ${link.device} ${family}` })),
    ),
  );
}

/** Waits until all of these sessions are established and BFD is up on them, as the ToRs see it. */
export async function untilSessionsUp(lab: Lab, sessions: readonly NodeSession[] = nodeSessions(lab)): Promise<void> {
  let missing: string[] = [];
  const allUp = async (): Promise<boolean> => {
    missing = [];
    for (const { node, link, family, name } of sessions) {
      const { established, bfd, state, lastError } = await torSession(lab, rackOf(lab, node), link, family);
      if (!established || bfd !== 'up') missing.push(`${name}: ${state}, BFD ${bfd}${lastError === '' ? '' : `, ${lastError}`}`);
    }
    return missing.length === 0;
  };
  await waitUntil(allUp, {
    what: `${sessions.length} sessions with ToRs`,
    timeoutMs: BGP_TIMEOUT_MS,
    onTimeout: () => missing.slice(0, 4).join('; '),
  });
}
