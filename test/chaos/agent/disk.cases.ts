import {
  agentStatus,
  callCni,
  diskFull,
  extraPod,
  type Lab,
  makeExtraPod,
  type NodePlace,
  type PodPlace,
  removeExtraPod,
  waitUntil,
  withFault,
} from '@isthmus/lab';
import { losesNothing, MINUTE_MS } from '../chaos-lab.ts';

/** CNI specification, section "Error". */
const CNI_TRY_AGAIN = 11;
const RECOVERS_MS = 10_000;

/** An agent that cannot write down what it does takes no new pods, says why, and goes on by itself. */
export function diskCases(lab: () => Lab): void {
  it(
    'takes no pod while its disk is full, says so, loses nothing, and takes it as soon as there is room',
    () =>
      losesNothing(lab(), async () => {
        const node = lab().node('east', 'n1');
        const pod = extraPod(lab(), node, 'nodisk');
        try {
          await makeExtraPod(lab(), pod);
          await withFault(lab(), diskFull('east', 'n1'), () => expectRefusal(node, pod));
          await waitUntil(async () => (await agentStatus(node))?.ready, { what: 'the agent to be ready again', timeoutMs: RECOVERS_MS });
          expect(await callCni(node, pod, 'ADD')).toMatchObject({ status: 0 });
        } finally {
          await removeExtraPod(lab(), node, pod);
        }
      }),
    2 * MINUTE_MS,
  );
}

async function expectRefusal(node: NodePlace, pod: PodPlace): Promise<void> {
  // Also before anything failed: whoever asks is told how it is.
  expect(await agentStatus(node)).toMatchObject({ ready: false, waitingFor: expect.stringContaining('STATE_NOT_SAVED') });
  const answer = await callCni(node, pod, 'ADD');
  expect(answer.status).not.toBe(0);
  expect(JSON.parse(answer.stdout)).toMatchObject({
    code: CNI_TRY_AGAIN,
    msg: expect.stringMatching(/^AGENT_NOT_READY: .*STATE_NOT_SAVED: \/run\/isthmus\/state\/probe cannot be written: ENOSPC/),
  });
  const status = await agentStatus(node);
  expect(status?.waitingFor).toContain('STATE_NOT_SAVED: /run/isthmus/state/probe cannot be written: ENOSPC');
  expect(status?.tables['endpoints']).toBe(node.pods.length);
  // A pod that ends is taken away all the same.
  expect(await callCni(node, pod, 'DEL')).toMatchObject({ status: 0 });
}
