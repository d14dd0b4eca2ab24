import { agentId, allNodes, type Lab, startAgain } from '@isthmus/lab';
import { ALL, converged, losesNothing, MINUTE_MS, say } from '../chaos-lab.ts';
import { MassRecords } from '../mass/mass-records.ts';
import type { SeededRandom } from '../seeded-random.ts';

const RECORDS = ALL ? 10_000 : 3_000;
const KILLS = ALL ? 5 : 2;
const WITHIN_MS = 1_500;

/** An agent that is killed while thousands of rows arrive has all of them in the end. */
export function massCases(lab: () => Lab, random: () => SeededRandom): void {
  it(
    `has all of ${RECORDS} addresses that come through the mesh while agents are killed ${KILLS} times, and loses nothing`,
    () =>
      losesNothing(lab(), async () => {
        const records = new MassRecords(lab(), lab().cluster('west'), RECORDS);
        try {
          for (const verb of ['put', 'delete'] as const) {
            const written = records[verb]();
            for (let i = 0; i < KILLS; i++) await killSoon(lab(), random());
            await written;
            await records.untilInKernels(allNodes(lab()), verb === 'put' ? RECORDS : 0);
            await converged(lab());
            say(`${verb}: every kernel has ${verb === 'put' ? 'all' : 'none'}`);
          }
        } finally {
          await records.delete();
        }
      }),
    4 * MINUTE_MS,
  );
}

async function killSoon(lab: Lab, random: SeededRandom): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, random.below(WITHIN_MS)));
  const id = agentId(random.pick(allNodes(lab)));
  await lab.processes.stop(id, 'SIGKILL');
  startAgain(lab, id);
}
