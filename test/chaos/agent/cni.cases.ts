import {
  agentId,
  agentStatus,
  ask,
  bpfRows,
  type CniAnswer,
  callCni,
  echoTargets,
  extraPod,
  type Lab,
  makeExtraPod,
  type NodePlace,
  type PodPlace,
  removeExtraPod,
  startAgain,
  tableRows,
  waitForProcess,
} from '@isthmus/lab';
import { ALL, losesNothing, MINUTE_MS, say } from '../chaos-lab.ts';
import type { SeededRandom } from '../seeded-random.ts';

const KILLS = ALL ? 10 : 3;
const CLOSED_PORT = 9;
/** The plugin's code for an interface that the container has already. */
const ALREADY_THERE = 'ENDPOINT_EXISTS';

/** What a node has of pods. */
interface PodTraces {
  readonly devices: readonly string[];
  readonly endpoints: readonly string[];
  readonly kernel: readonly string[];
  readonly ipcache: readonly string[];
}

/** An agent that is killed in the middle of an ADD leaves nothing that a retry, or the DEL that a runtime calls, does not put right. */
export function cniCases(lab: () => Lab, random: () => SeededRandom): void {
  it(
    `leaves nothing half done when it is killed in the middle of an ADD, ${KILLS} times: a retry, or DEL, puts all right`,
    () =>
      losesNothing(lab(), async () => {
        const node = lab().node('east', 'n1');
        const before = await traces(lab(), node);
        const outcomes: string[] = [];
        const addMs = await timeAdd(lab(), node);
        for (let i = 0; i < KILLS; i++) outcomes.push(await killDuringAdd(lab(), node, { round: i, afterMs: random().below(addMs) }));
        say(outcomes.join(', '));
        expect(await traces(lab(), node)).toEqual(before);
      }),
    3 * MINUTE_MS,
  );
}

/** How many whole milliseconds an ADD takes here and now: some tens on an idle machine, some hundreds on a busy one. */
async function timeAdd(lab: Lab, node: NodePlace): Promise<number> {
  const pod = extraPod(lab, node, 'timed');
  try {
    await makeExtraPod(lab, pod);
    const since = performance.now();
    expect(await callCni(node, pod, 'ADD')).toMatchObject({ status: 0 });
    const took = performance.now() - since;
    expect(await callCni(node, pod, 'DEL')).toMatchObject({ status: 0 });
    return Math.ceil(took);
  } finally {
    await removeExtraPod(lab, node, pod);
  }
}

/** Answers what came of the ADD. */
async function killDuringAdd(lab: Lab, node: NodePlace, { round, afterMs }: { round: number; afterMs: number }): Promise<string> {
  const pod = extraPod(lab, node, `cut${round}`);
  try {
    await makeExtraPod(lab, pod);
    const added = callCni(node, pod, 'ADD');
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await lab.processes.stop(agentId(node), 'SIGKILL');
    const answer = await added;
    if (answer.status !== 0) expectClearError(answer);
    startAgain(lab, agentId(node));
    await waitForProcess(lab, agentId(node));
    // Runtimes do one or the other. None adds again what it was told is there.
    if (round % 2 === 0 && answer.status !== 0) await expectRetryWorks(lab, node, pod);
    expect(await callCni(node, pod, 'DEL')).toMatchObject({ status: 0 });
    return `${afterMs} ms: ADD ${answer.status === 0 ? 'done' : 'cut off'}`;
  } finally {
    await removeExtraPod(lab, node, pod);
  }
}

function expectClearError({ stdout }: CniAnswer): void {
  expect(JSON.parse(stdout)).toMatchObject({ code: expect.any(Number), msg: expect.stringMatching(/\S/) });
}

async function expectRetryWorks(lab: Lab, node: NodePlace, pod: PodPlace): Promise<void> {
  let again = await callCni(node, pod, 'ADD');
  // The ADD was over, and only its answer was cut off: no runtime gets around a DEL then.
  if (again.stdout.includes(ALREADY_THERE)) {
    expect(await callCni(node, pod, 'DEL')).toMatchObject({ status: 0 });
    again = await callCni(node, pod, 'ADD');
  }
  expect(again).toMatchObject({ status: 0, stdout: expect.not.stringContaining('"code"') });
  const { ips } = JSON.parse(again.stdout) as { ips: { address: string }[] };
  const [ipv4 = '', ipv6 = ''] = ips.map(({ address }) => address.split('/')[0] ?? '');
  // Nobody listens there: the pod's own kernel refuses, which only packets that got through make it do.
  const answers = await ask(lab, node.pods[0] as PodPlace, echoTargets({ ipv4, ipv6 }, 'TCP', CLOSED_PORT));
  expect(answers.map(({ error }) => error)).toEqual(['ECONNREFUSED', 'ECONNREFUSED']);
}

async function traces(lab: Lab, node: NodePlace): Promise<PodTraces> {
  expect(await agentStatus(node)).toMatchObject({ ready: true });
  const { stdout } = await lab.exec(node, ['ip', '-json', 'link']);
  const devices = (JSON.parse(stdout) as { ifname: string }[]).map(({ ifname }) => ifname);
  const rows = async (map: string): Promise<string[]> => (await bpfRows<object>(node, map)).map((row) => JSON.stringify(row)).sort();
  return {
    devices: devices.sort(),
    endpoints: (await tableRows<{ pod: string }>(node, 'endpoints')).map(({ row }) => row.pod).sort(),
    kernel: await rows('endpoints'),
    ipcache: await rows('ipcache'),
  };
}
