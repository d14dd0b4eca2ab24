import type { Lab } from '../lab.ts';
import type { Place, PodPlace } from '../topology/plan.ts';
import { hostOf } from '../traffic/ask.ts';
import { type Check, expectThat } from './check.ts';
import { podPairs, RELATIONS, type Relation } from './pairs.ts';
import { type Attempt, problems, reachAll, WAYS, type Way } from './reach.ts';

/** Every pod reaches every other one, over both families, and is seen there with its own address. */
export const podToPodChecks: readonly Check[] = RELATIONS.flatMap((relation) => WAYS.map((way) => podToPodCheck(relation, way)));

function podToPodCheck(relation: Relation, way: Way): Check {
  return {
    name: `pod-to-pod-${relation}-${way.toLowerCase()}`,
    disruptive: false,
    applies: (lab) => podPairs(lab, relation).length > 0,
    async run(lab: Lab): Promise<string> {
      const pairs = podPairs(lab, relation);
      const attempts = await reachAll(lab, pairs, way, (place) => lab.podAddresses(place as PodPlace));
      expectThat(problems(attempts) === '', problems(attempts));
      const hidden = attempts.filter((attempt) => way !== 'ICMP' && !ownAddresses(lab, attempt.from).includes(hostOf(attempt.saw)));
      expectThat(hidden.length === 0, hidden.map(hiddenText).join('; '));
      return `${pairs.length} pairs, IPv4 and IPv6`;
    },
  };
}

function ownAddresses(lab: Lab, place: Place): string[] {
  return Object.values(lab.podAddresses(place as PodPlace));
}

function hiddenText({ from, to, saw }: Attempt): string {
  return `${to.id} saw ${from.id} as ${saw}`;
}
