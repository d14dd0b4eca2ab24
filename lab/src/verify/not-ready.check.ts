import { type EndpointRow, l4Key } from '@isthmus/model';
import type { Lab } from '../lab.ts';
import { runCommand } from '../machine/run-command.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { type CniAnswer, callCni } from '../pod/attach-pod.ts';
import { extraPod, makeExtraPod, removeExtraPod } from '../pod/extra-pod.ts';
import type { Addresses, NodePlace, Place, PodPlace } from '../topology/plan.ts';
import { ask } from '../traffic/ask.ts';
import { tableRows } from './agent-view.ts';
import { type Check, expectThat } from './check.ts';
import { type DropEvent, Monitor } from './monitor.ts';
import { ping } from './ping.ts';

const NAME = 'late';
const REASON = 'EndpointNotReady';
const TIMEOUT_MS = 20_000;
/** CNI specification, section "Error". */
const CNI_TRY_AGAIN = 11;
/** Nobody listens there: where packets get through, the pod's own kernel refuses. */
const CLOSED_PORT = 9;
/** An agent waits five seconds for etcd: all must be seen before that. */
const SILENCE_MS = 300;
/** Slow enough to see the endpoint between its devices and its identity: each message to etcd takes some tenths of a second. */
const SLOW_LINK = ['tbf', 'rate', '16kbit', 'burst', '1600', 'latency', '20s'];
/** A packet that uses up what the link may send at once. */
const BURST_BYTES = 1_472;

/**
 * While a pod waits for its identity, because the cluster etcd does not answer, nothing gets in or out of it, and every drop says why. When
 * etcd answers again, so does ADD, and packets flow.
 */
export const notReadyCheck: Check = {
  name: 'not-ready-pod-gets-nothing',
  disruptive: true,
  applies: (lab) => (lab.plan.clusters[0]?.nodes[0]?.pods.length ?? 0) > 0,
  async run(lab) {
    const [node] = lab.plan.clusters[0]?.nodes ?? [];
    const [neighbour] = node?.pods ?? [];
    expectThat(node !== undefined && neighbour !== undefined, 'the first node has no pod');
    const pod = extraPod(lab, node, NAME);
    const monitor = await Monitor.listen(node);
    try {
      await makeExtraPod(lab, pod);
      return await withPausedAdd(lab, node, pod, async (addresses) => expectNothing(lab, monitor, node, neighbour, pod, addresses));
    } finally {
      monitor.end();
      await removeExtraPod(lab, node, pod);
    }
  },
};

/** How a node queues what it sends to the network. */
async function queueing(node: NodePlace, verb: 'add' | 'delete', ...kind: readonly string[]): Promise<void> {
  for (const device of node.devices) await runCommand(['tc', '-n', node.netns, 'qdisc', verb, 'dev', device, 'root', ...kind]);
}

/** Begins ADD, stops etcd when the endpoint is there without an identity, does `work`, lets etcd go on, and sees ADD end. */
async function withPausedAdd(lab: Lab, node: NodePlace, pod: PodPlace, work: (addresses: Addresses) => Promise<string>): Promise<string> {
  const etcd = `${node.cluster}/etcd`;
  let added: Promise<CniAnswer> | undefined;
  let detail: string;
  try {
    await queueing(node, 'add', ...SLOW_LINK);
    const { ipv4 } = lab.cluster(node.cluster).control.addresses;
    for (const device of node.devices) await ping(lab, node, ipv4, { size: BURST_BYTES, device });
    added = callCni(node, pod, 'ADD');
    const row = await waitingEndpoint(node);
    lab.processes.signal(etcd, 'SIGSTOP');
    await queueing(node, 'delete');
    detail = await work(row);
    const still = await endpointOf(node);
    expectThat(still !== undefined, `CNI ADD gave up while etcd did not answer: ${(await added).stdout.trim()}`);
    expectThat(still.identity === 0, `the endpoint got identity ${still.identity} while etcd did not answer`);
  } finally {
    lab.processes.signal(etcd, 'SIGCONT');
    await queueing(node, 'delete').catch(() => undefined); // it is gone already, unless something failed
    await added;
  }
  await expectAdded(node, pod, await added);
  return `${detail}; ${await expectThrough(lab, node, pod)}`;
}

/** An agent that waited too long for etcd says "try again later", which a runtime does. */
async function expectAdded(node: NodePlace, pod: PodPlace, first: CniAnswer): Promise<void> {
  let answer = first;
  await waitUntil(
    async () => {
      if (answer.status === 0) return true;
      expectThat(
        (JSON.parse(answer.stdout) as { code?: number }).code === CNI_TRY_AGAIN,
        `CNI ADD failed in the end: ${answer.stdout.trim()}`,
      );
      answer = await callCni(node, pod, 'ADD');
      return answer.status === 0;
    },
    { what: `CNI ADD of ${pod.id} to succeed`, timeoutMs: TIMEOUT_MS, everyMs: 200, onTimeout: () => answer.stdout.trim() },
  );
}

async function endpointOf(node: NodePlace): Promise<EndpointRow | undefined> {
  return (await tableRows<EndpointRow>(node, 'endpoints')).map(({ row }) => row).find((row) => row.pod === NAME);
}

async function waitingEndpoint(node: NodePlace): Promise<EndpointRow> {
  const row = await waitUntil(() => endpointOf(node), { what: `an endpoint of ${NAME}`, timeoutMs: TIMEOUT_MS, everyMs: 1 });
  expectThat(row.identity === 0, 'the endpoint had its identity before etcd could be stopped');
  return row;
}

/** Tries every way in and out, and sees all of it dropped for the right reason, with what is known of both ends. */
async function expectNothing(
  lab: Lab,
  monitor: Monitor,
  node: NodePlace,
  neighbour: PodPlace,
  pod: PodPlace,
  { ipv4, ipv6 }: Addresses,
): Promise<string> {
  const inwards = [neighbour, node].map((from) => tryAll(lab, from, [ipv4, ipv6]));
  const near = lab.podAddresses(neighbour);
  const outwards = tryAll(lab, pod, [near.ipv4, near.ipv6]);
  const through = (await Promise.all([...inwards, outwards])).flat();
  expectThat(through.length === 0, `got through: ${through.join(', ')}`);
  const sender = (await tableRows<EndpointRow>(node, 'endpoints')).find(({ row }) => row.pod === neighbour.name)?.row.identity;
  for (const [source, destination] of [
    [near.ipv4, ipv4],
    [near.ipv6, ipv6],
    [ipv4, near.ipv4],
    [ipv6, near.ipv6],
  ] as const) {
    const drops = await dropsBetween(monitor, source, destination);
    const other = drops.find((event) => event.reason !== REASON);
    expectThat(other === undefined, `${source} to ${destination} was dropped for ${other?.reason}`);
    const identity = source === near.ipv4 || source === near.ipv6 ? drops[0]?.sourceIdentity : sender;
    expectThat(identity === sender, `${source} to ${destination}: the drop says identity ${identity}, not ${sender}`);
  }
  return `ICMP, TCP, UDP both ways dropped: ${monitor.drops().filter((event) => event.reason === REASON).length} times ${REASON}`;
}

/** The packet is gone before the agent has read of it. */
function dropsBetween(monitor: Monitor, source: string, destination: string): Promise<DropEvent[]> {
  return waitUntil(
    () => {
      const drops = monitor.drops().filter((event) => event.source === source && event.destination === destination);
      return drops.length > 0 && drops;
    },
    { what: `the monitor to tell of a drop from ${source} to ${destination}`, timeoutMs: TIMEOUT_MS },
  );
}

/** What gets an answer, whatever it says: a refusal is one too. */
async function tryAll(lab: Lab, from: Place, addresses: readonly string[]): Promise<string[]> {
  const targets = addresses.flatMap((ip) => [l4Key('TCP', ip, CLOSED_PORT), l4Key('UDP', ip, CLOSED_PORT)]);
  const [pings, answers] = await Promise.all([
    Promise.all(addresses.map((ip) => ping(lab, from, ip, { timeoutS: 1 }))),
    ask(lab, from, targets, { connected: true, timeoutMs: SILENCE_MS }),
  ]);
  return [
    ...addresses.filter((_, index) => pings[index]).map((ip) => `${from.id} ping ${ip}`),
    ...answers.filter(({ error }) => error !== 'ETIMEDOUT').map(({ target, error }) => `${from.id} ${target} (${error ?? 'answered'})`),
  ];
}

async function expectThrough(lab: Lab, node: NodePlace, pod: PodPlace): Promise<string> {
  const row = await endpointOf(node);
  expectThat(row !== undefined && row.identity !== 0, `${pod.id} has no identity after ADD`);
  const [neighbour] = node.pods;
  const through = await tryAll(lab, neighbour as PodPlace, [row.ipv4, row.ipv6]);
  expectThat(through.length === 6, `after ADD only ${through.join(', ') || 'nothing'} gets through`);
  return `after ADD all of it gets through`;
}
