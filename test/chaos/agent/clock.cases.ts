import {
  agentStatus,
  allNodes,
  callCni,
  clock,
  extraPod,
  type Lab,
  makeExtraPod,
  removeExtraPod,
  waitUntil,
  withFault,
} from '@isthmus/lab';
import { agentAnswer } from '../agent-answer.ts';
import { converged, losesNothing, MINUTE_MS, processIds, say } from '../chaos-lab.ts';

const HOUR_S = 3_600;
/** Longer than any process takes to see the step, and than a round of everything that goes by timers of seconds. */
const OBSERVED_MS = 10_000;
const OFF_BY_S = 5;

/** Nothing goes by the wall clock: when it jumps, nothing happens. */
export function clockCases(lab: () => Lab): void {
  it.each([
    ['forwards', HOUR_S],
    ['backwards', -HOUR_S],
  ])(
    'loses nothing when the wall clock of all processes jumps an hour %s, and back',
    (_, seconds) =>
      losesNothing(lab(), async () => {
        const before = processIds(lab());
        await withFault(lab(), clock(seconds), async () => {
          await untilSeen(lab(), seconds);
          await expectUnmoved(lab());
          await expectPodsComeAndGo(lab(), `clock${seconds > 0 ? 'on' : 'back'}`);
          await new Promise((resolve) => setTimeout(resolve, OBSERVED_MS));
          await expectUnmoved(lab());
        });
        await untilSeen(lab(), 0);
        await converged(lab());
        expect(processIds(lab())).toEqual(before);
      }),
    2 * MINUTE_MS,
  );
}

/** Waits until a process of each kind tells the other time: the date of an answer over HTTP is its own. */
async function untilSeen(lab: Lab, seconds: number): Promise<void> {
  const node = lab.node('east', 'n1');
  let off = 0;
  await waitUntil(
    async () => {
      const { headers } = await agentAnswer(node, '/v1/status');
      off = (Date.parse(headers.date ?? '') - Date.now()) / 1000;
      return Math.abs(off - seconds) < OFF_BY_S;
    },
    { what: `the agent's clock to be ${seconds} s off`, timeoutMs: 10_000, everyMs: 200, onTimeout: () => `it is ${off} s off` },
  );
}

/** Every agent is ready, and no age, uptime or connection has jumped with the clock. */
async function expectUnmoved(lab: Lab): Promise<void> {
  for (const node of allNodes(lab)) {
    const status = await agentStatus(node);
    expect(status).toMatchObject({ ready: true, sinks: { failing: [] } });
    expect(Object.values(status?.connections ?? {}).map(({ connected }) => connected)).toEqual([true, true]);
    expect(status?.uptimeSeconds).toBeGreaterThanOrEqual(0);
    expect(status?.uptimeSeconds).toBeLessThan(HOUR_S);
    for (const remote of status?.remoteClusters ?? []) {
      expect(remote.ready).toBe(true);
      // It beats once a minute.
      expect(remote.heartbeatAgeSeconds).toBeLessThan(120);
    }
  }
  say(`${allNodes(lab).length} agents ready, no age jumped`);
}

async function expectPodsComeAndGo(lab: Lab, name: string): Promise<void> {
  const node = lab.node('west', 'n1');
  const pod = extraPod(lab, node, name);
  try {
    await makeExtraPod(lab, pod);
    expect(await callCni(node, pod, 'ADD')).toMatchObject({ status: 0 });
  } finally {
    await removeExtraPod(lab, node, pod);
  }
}
