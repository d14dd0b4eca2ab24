import type { Lab } from '../lab.ts';
import type { NodePlace, PodPlace } from '../topology/plan.ts';
import { type Check, expectThat } from './check.ts';
import { nodePodPairs, type Pair, RELATIONS, type Relation } from './pairs.ts';
import { type Attempt, problems, reachAll, WAYS } from './reach.ts';

/** Hosts reach pods and pods reach hosts, each by ICMP, TCP and UDP over both families. */
export const hostChecks: readonly Check[] = RELATIONS.flatMap((relation) => [hostToPodCheck(relation), podToHostCheck(relation)]);

function hostToPodCheck(relation: Relation): Check {
  return hostCheck(`host-to-pod-${relation}`, relation, async (lab) => {
    const pairs = nodePodPairs(lab, relation);
    return { pairs, attempts: await everyWay(lab, pairs) };
  });
}

function podToHostCheck(relation: Relation): Check {
  return hostCheck(`pod-to-host-${relation}`, relation, async (lab) => {
    const pairs = nodePodPairs(lab, relation).map(({ from, to }) => ({ from: to, to: from }));
    return { pairs, attempts: await everyWay(lab, pairs) };
  });
}

function hostCheck(
  name: string,
  relation: Relation,
  reach: (lab: Lab) => Promise<{ pairs: readonly Pair[]; attempts: readonly Attempt[] }>,
): Check {
  return {
    name,
    disruptive: false,
    applies: (lab) => nodePodPairs(lab, relation).length > 0,
    async run(lab) {
      const { pairs, attempts } = await reach(lab);
      expectThat(problems(attempts) === '', problems(attempts));
      return `${pairs.length} pairs, ${WAYS.join(', ')}, IPv4 and IPv6`;
    },
  };
}

async function everyWay(lab: Lab, pairs: readonly Pair[]): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  for (const way of WAYS)
    attempts.push(
      ...(await reachAll(lab, pairs, way, (place) =>
        'node' in place ? lab.podAddresses(place as PodPlace) : (place as NodePlace).addresses,
      )),
    );
  return attempts;
}
