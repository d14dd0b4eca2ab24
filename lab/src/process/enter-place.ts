import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cgroup2Root } from '../machine/cgroup.ts';
import type { NodePlace, Place } from '../topology/plan.ts';

const NODE_RUN = fileURLToPath(new URL('../../node-run.sh', import.meta.url));

/** Names the lab in the environment of everything that it starts, so that nothing escapes the search for leftovers. */
export const LAB_VARIABLE = 'ISTHMUS_LAB';

/** The command line that runs a command in a place. */
export function enterPlace(place: Place, argv: readonly string[]): string[] {
  const [run, bpf] = isNode(place) ? [place.run, place.bpf] : ['', ''];
  return [NODE_RUN, join(cgroup2Root(), place.cgroup), place.netns, place.hostname, run, bpf, ...argv];
}

function isNode(place: Place): place is NodePlace {
  return 'run' in place;
}
