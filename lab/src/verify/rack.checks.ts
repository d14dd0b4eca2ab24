import { withFault } from '../fault/fault.ts';
import { cutLink } from '../fault/network.faults.ts';
import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { routeServerSessions } from '../rack/tor-view.ts';
import type { NodePlace } from '../topology/plan.ts';
import type { RackPlan } from '../topology/rack-plan.ts';
import { type Check, expectThat } from './check.ts';
import { allNodes } from './pairs.ts';
import { ping } from './ping.ts';

const TIMEOUT_MS = 20_000;

/** Where there are racks. */
export function hasRacks({ plan }: Pick<Lab, 'plan'>): boolean {
  return plan.fabric !== undefined;
}

/** The racks of a lab; none in a lab without. */
export function racksOf({ plan }: Pick<Lab, 'plan'>): readonly RackPlan[] {
  return plan.fabric?.racks ?? [];
}

/** A node answers on its own address whichever of its links is cut: to its neighbours, and to every control plane. No BGP is needed for that. */
const underlayCheck: Check = {
  name: 'tor-underlay',
  disruptive: true,
  applies: hasRacks,
  async run(lab) {
    let cuts = 0;
    for (const node of allNodes(lab))
      for (const device of node.devices) {
        await withFault(lab, cutLink(node.id, device), () => expectReached(lab, node, `${device} of ${node.id} cut`));
        cuts++;
      }
    for (const node of allNodes(lab)) await expectReached(lab, node, 'no link cut');
    return `${cuts} links cut in turn, every node reached from every other node and control plane over the one that was left`;
  },
};

async function expectReached(lab: Lab, node: NodePlace, when: string): Promise<void> {
  const others = lab.plan.clusters.flatMap(({ control, nodes }) => [control, ...nodes]).filter(({ id }) => id !== node.id);
  for (const from of others)
    for (const address of [node.addresses.ipv4, node.addresses.ipv6])
      expectThat(await ping(lab, from, address), `${when}: ${from.id} does not reach ${node.id} (${address})`);
}

/** Every ToR speaks with the route server over each family: what one rack learns, the other gets. */
const routeServerCheck: Check = {
  name: 'tor-route-server',
  disruptive: false,
  applies: hasRacks,
  async run(lab) {
    let seen = '';
    const allUp = async (): Promise<number | false> => {
      const states = await Promise.all(racksOf(lab).map(async (tor) => ({ tor, sessions: await routeServerSessions(lab, tor) })));
      seen = states.map(({ tor, sessions }) => `${tor.id}: ${sessions.map(({ state }) => state).join(', ')}`).join('; ');
      const sessions = states.flatMap((one) => one.sessions);
      return sessions.every(({ established }) => established) && sessions.length;
    };
    const count = await waitUntil(allUp, { what: 'the ToRs to speak with the route server', timeoutMs: TIMEOUT_MS, onTimeout: () => seen });
    return `${count} sessions of ${racksOf(lab)
      .map(({ id, daemon }) => `${id} (${daemon})`)
      .join(' and ')}`;
  },
};

/** What holds in racks before any node speaks BGP. */
export const rackChecks: readonly Check[] = [routeServerCheck, underlayCheck];
