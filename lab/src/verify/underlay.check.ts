import type { Lab } from '../lab.ts';
import type { Addresses } from '../topology/plan.ts';
import { type Check, expectThat } from './check.ts';
import { ping } from './ping.ts';

/** Every node reaches every other node and every control plane over the bare network, in both families. */
export const underlayCheck: Check = {
  name: 'underlay',
  disruptive: false,
  async run(lab: Lab): Promise<string> {
    const { clusters } = lab.plan;
    const stations = clusters.flatMap((cluster) => [cluster.control, ...cluster.nodes]);
    const nodes = clusters.flatMap((cluster) => cluster.nodes);
    const pairs = nodes.flatMap((from) => stations.filter((to) => to.id !== from.id).map((to) => ({ from, to })));
    const reached = await Promise.all(
      pairs.flatMap(({ from, to }) =>
        bothFamilies(to.addresses).map(async (address) => ({ from, to, answer: await ping(lab, from, address) })),
      ),
    );
    const silent = reached.filter(({ answer }) => !answer);
    expectThat(silent.length === 0, `no answer: ${silent.map(({ from, to }) => `${from.id} to ${to.id}`).join(', ')}`);
    return `${pairs.length} pairs, IPv4 and IPv6`;
  },
};

function bothFamilies({ ipv4, ipv6 }: Addresses): string[] {
  return [ipv4, ipv6];
}
