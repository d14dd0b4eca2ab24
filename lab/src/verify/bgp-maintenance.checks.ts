import { isthmus } from '../control-plane/isthmus-command.ts';
import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { applyToCluster, peerName, secretObject } from '../rack/bgp-objects.ts';
import { FAMILIES } from '../rack/rack-session.ts';
import { type TorRoute, torKernelHops, torSession } from '../rack/tor-view.ts';
import { linksOf, type NodePlace } from '../topology/plan.ts';
import { BGP_TIMEOUT_MS, nodeSessions, podCidrsOf, rackOf, untilRoutes, untilSessionsUp, vipPrefixes } from './bgp-view.ts';
import { type Check, expectThat } from './check.ts';
import { expectNoLoss, flowSet } from './flow-set.ts';
import { allNodes } from './pairs.ts';
import { hasRacks, racksOf } from './rack.checks.ts';

/** What a person says on a node before its maintenance, and after it. */
const DRAIN = ['bgp', 'drain'];
const UNDRAIN = ['bgp', 'drain', '--undo'];
const GRACEFUL_SHUTDOWN = '65535:0';

/** While each node is drained and comes back, no packet is lost, and ToRs send the service's traffic to other nodes before it could be (RFC 8326). */
const drainCheck: Check = {
  name: 'bgp-no-loss-while-nodes-drain',
  disruptive: true,
  applies: hasRacks,
  async run(lab) {
    await untilSessionsUp(lab);
    const text = await expectNoLoss(lab, await flowSet(lab), async () => {
      for (const node of allNodes(lab)) await drained(lab, node);
    });
    return `${text}; the service's traffic went to other nodes meanwhile`;
  },
};

async function drained(lab: Lab, node: NodePlace): Promise<void> {
  const [cidrs, vips] = [await podCidrsOf(node), await vipPrefixes(lab, lab.cluster(node.cluster))];
  const links = linksOf(lab.plan, node);
  try {
    await isthmus(lab.plan, node, DRAIN);
    for (const tor of racksOf(lab)) for (const family of FAMILIES) await untilRoutes(lab, tor, cidrs[family], notLast);
    const own = links.map(({ own }) => own.ipv4);
    await untilHops(lab, node, vips.ipv4, (hops) => hops.length > 0 && !hops.some((hop) => own.includes(hop)));
  } finally {
    await isthmus(lab.plan, node, UNDRAIN);
  }
  const back = (routes: readonly TorRoute[]): string => routes.map(notPlain).find((problem) => problem !== '') ?? '';
  for (const tor of racksOf(lab)) for (const family of FAMILIES) await untilRoutes(lab, tor, cidrs[family], back);
  await untilHops(lab, node, vips.ipv4, (hops) => links.every(({ own }) => hops.includes(own.ipv4)));
}

function notLast(routes: readonly TorRoute[]): string {
  if (routes.length === 0) return 'there is no route';
  const wrong = routes.find(({ communities, localPreference }) => !communities.includes(GRACEFUL_SHUTDOWN) || localPreference !== 0);
  return wrong
    ? `by ${wrong.nextHop} it has local preference ${wrong.localPreference} and the communities ${wrong.communities.join(' ')}`
    : '';
}

function notPlain({ communities, nextHop }: TorRoute): string {
  return communities.includes(GRACEFUL_SHUTDOWN) ? `by ${nextHop} it is still about to go` : '';
}

async function untilHops(lab: Lab, node: NodePlace, prefix: string, right: (hops: readonly string[]) => boolean): Promise<void> {
  const tor = rackOf(lab, node);
  let hops: string[] = [];
  const look = async (): Promise<boolean> => {
    hops = await torKernelHops(lab, tor, prefix);
    return right(hops);
  };
  await waitUntil(look, { what: `the next hops of ${tor.id} to ${prefix}`, timeoutMs: BGP_TIMEOUT_MS, onTimeout: () => hops.join(', ') });
}

/** A session with a password is up; with another one in the Secret it is refused, the node says why, and no other session is touched. */
const passwordCheck: Check = {
  name: 'bgp-wrong-password-is-refused',
  disruptive: true,
  applies: hasRacks,
  async run(lab) {
    await untilSessionsUp(lab);
    const session = nodeSessions(lab).find(({ link, family }) => link.password !== undefined && family === 'ipv4');
    expectThat(session?.link.password !== undefined, 'no session has a password');
    const { node, link } = session;
    const cluster = lab.cluster(node.cluster);
    let said = '';
    try {
      await applyToCluster(lab.plan, cluster, [secretObject('not-this-one')]);
      await waitUntil(async () => !(await torSession(lab, rackOf(lab, node), link, 'ipv4')).established, {
        what: `${session.name} to be refused`,
        timeoutMs: BGP_TIMEOUT_MS,
      });
      const told = async (): Promise<boolean> => {
        said = await isthmus(lab.plan, node, ['bgp', 'peers']);
        return said.split('\n').some((line) => line.includes(link.tor.ipv4) && /password/i.test(line));
      };
      await waitUntil(told, { what: `'isthmus bgp peers' to name the password`, timeoutMs: BGP_TIMEOUT_MS, onTimeout: () => said });
      await untilSessionsUp(
        lab,
        nodeSessions(lab).filter(({ name }) => name !== session.name),
      );
    } finally {
      await applyToCluster(lab.plan, cluster, [secretObject(session.link.password)]);
    }
    await untilSessionsUp(lab);
    return `${node.id} ${peerName(link, 'ipv4')}: refused with another password, and said so; up again with the right one`;
  },
};

/** What a person does with nodes that speak BGP. */
export const bgpMaintenanceChecks: readonly Check[] = [drainCheck, passwordCheck];
