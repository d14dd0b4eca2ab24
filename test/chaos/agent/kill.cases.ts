import { agentId, allNodes, CHECKS, chooseChecks, type Lab, runChecks, startAgain } from '@isthmus/lab';
import { ALL, losesNothing, MINUTE_MS, say } from '../chaos-lab.ts';
import type { SeededRandom } from '../seeded-random.ts';

const INSTANTS = ALL ? 20 : 3;
/** Of the start of an agent and a while after it. */
const WITHIN_MS = 2_000;
const EARLY_KILLS = 5;
const EARLY_MS = 1_000;
/** New connections between all pods: of these checks none asks an agent anything. */
const NEW_CONNECTIONS = 'pod-to-pod-';

/** An agent that is killed takes nothing with it, whatever it was doing. */
export function killCases(lab: () => Lab, random: () => SeededRandom): void {
  it(
    `loses nothing when agents are killed at ${INSTANTS} random instants`,
    () =>
      losesNothing(lab(), async () => {
        for (let i = 0; i < INSTANTS; i++) {
          await pause(random().below(WITHIN_MS));
          const id = agentId(random().pick(allNodes(lab())));
          await lab().processes.stop(id, 'SIGKILL');
          startAgain(lab(), id);
        }
      }),
    5 * MINUTE_MS,
  );

  it(
    `loses nothing when an agent is killed ${EARLY_KILLS} times within its first second`,
    () =>
      losesNothing(lab(), async () => {
        const id = agentId(random().pick(allNodes(lab())));
        for (let i = 0; i < EARLY_KILLS; i++) {
          await lab().processes.stop(id, 'SIGKILL');
          startAgain(lab(), id);
          await pause(random().below(EARLY_MS));
        }
        await lab().processes.stop(id, 'SIGKILL');
        startAgain(lab(), id);
      }),
    3 * MINUTE_MS,
  );

  it(
    'lets pods make new connections while no agent runs at all',
    () =>
      losesNothing(lab(), async () => {
        const agents = allNodes(lab()).map(agentId);
        await Promise.all(agents.map((id) => lab().processes.stop(id, 'SIGKILL')));
        const checks = chooseChecks(CHECKS, { quick: true }).filter(({ name }) => name.startsWith(NEW_CONNECTIONS));
        expect(checks.length).toBeGreaterThan(0);
        const results = await runChecks(lab(), checks);
        for (const id of agents) startAgain(lab(), id);
        say(results.map(({ name, detail }) => `${name}: ${detail}`).join('; '));
        expect(results.filter(({ ok }) => !ok)).toEqual([]);
      }),
    3 * MINUTE_MS,
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
