import type { EndpointRow } from '@isthmus/model';
import type { Lab } from '../lab.ts';
import { runCommand } from '../machine/run-command.ts';
import type { PodPlace } from '../topology/plan.ts';
import { echoTargets } from '../traffic/ask.ts';
import { probeSize, type SizeResult, sendBulk, sendBursts } from '../traffic/sizes.ts';
import { tableRows } from './agent-view.ts';
import { type Check, expectThat } from './check.ts';
import { allNodes, allPods, isTunnelled, nodeOf, type Pair, podPairs, RELATIONS } from './pairs.ts';

const BULK_BYTES = 64 * 1024;
const BURSTS = 20;
const BURST_BYTES = 1200;
/** Of an ordinary Ethernet: more than the tunnel lets through. */
const LARGER_MTU = 1500;

/** A packet as large as the pod's device allows arrives unfragmented and comes back; a byte more is refused on the spot. */
const fullMtuCheck: Check = {
  name: 'full-mtu-packet',
  disruptive: false,
  applies: (lab) => allPods(lab).length > 1,
  async run(lab) {
    const seen = await probeEach(lab, async (pair) => ({ ...pair, mtu: await mtuOf(lab, pair.from) }));
    const wrong = seen.filter(({ result }) => result.fits !== 'answered' || result.exceeds !== 'EMSGSIZE');
    expectThat(wrong.length === 0, wrong.map(probeText).join('; '));
    return `${seen.length} times DF, ${[...new Set(seen.map(({ mtu }) => mtu))].join(' and ')} bytes; EMSGSIZE for one more`;
  },
};

/** Where the pod's device allows more than the tunnel, the datapath answers what does not fit with an ICMP error. */
const tooBigCheck: Check = {
  name: 'too-big-is-answered',
  disruptive: true,
  // What goes natively may be as large as the links allow.
  applies: (lab) =>
    allNodes(lab).every(isTunnelled) && RELATIONS.some((relation) => relation !== 'same-node' && podPairs(lab, relation).length > 0),
  async run(lab) {
    const seen = await probeEach(lab, async (pair) => ({ ...pair, mtu: await mtuOf(lab, pair.from) }), {
      before: (pod) => setMtu(pod, LARGER_MTU),
      after: async (pod) => setMtu(pod, await mtuOf(lab, pod)),
    });
    // On one node nothing is encapsulated: the receiver's device is the limit there, and its kernel does not answer.
    const wrong = seen.filter(({ result }) => result.fits !== 'answered' || result.exceeds !== 'PTB');
    expectThat(wrong.length === 0, wrong.map(probeText).join('; '));
    return `${seen.length} times ICMP packet too big for ${[...new Set(seen.map(({ mtu }) => mtu + 1))].join(' and ')} bytes`;
  },
};

/** 64 KB in one write arrive byte for byte. */
const bulkCheck: Check = {
  name: 'tcp-64k-write',
  disruptive: false,
  applies: (lab) => allPods(lab).length > 1,
  async run(lab) {
    const wrong: string[] = [];
    const pairs = RELATIONS.flatMap((relation) => podPairs(lab, relation));
    for (const from of new Set(pairs.map((pair) => pair.from))) {
      const targets = pairs.filter((pair) => pair.from === from).flatMap(({ to }) => echoTargets(lab.podAddresses(to), 'TCP'));
      const results = await sendBulk(lab, from, targets, BULK_BYTES);
      for (const { target, ok, error } of results) if (!ok) wrong.push(`${from.id} to ${target}: ${error ?? 'checksums differ'}`);
    }
    expectThat(wrong.length === 0, wrong.join('; '));
    return `${pairs.length} pairs, IPv4 and IPv6, ${BULK_BYTES} bytes each, checksums equal`;
  },
};

/** What one write sends as many datagrams (UDP_SEGMENT, as QUIC does) is cut somewhere on the way, and every datagram arrives. */
const burstCheck: Check = {
  name: 'udp-super-packets',
  disruptive: false,
  applies: (lab) => allPods(lab).length > 1,
  async run(lab) {
    const firsts = RELATIONS.flatMap((relation) => podPairs(lab, relation).slice(0, 1));
    const wrong: string[] = [];
    let datagrams = 0;
    for (const { from, to } of firsts)
      for (const { target, sent, answered } of await sendBursts(lab, from, echoTargets(lab.podAddresses(to), 'UDP'), BURSTS, BURST_BYTES)) {
        datagrams += sent;
        if (answered < sent) wrong.push(`${from.id} to ${to.id} (${target}): ${sent - answered} of ${sent} lost`);
      }
    expectThat(wrong.length === 0, wrong.join('; '));
    return `${datagrams} datagrams of ${BURST_BYTES} bytes, 16 in a write, ${firsts.length} pairs, IPv4 and IPv6: none lost`;
  },
};

/** The checks of sizes. */
export const sizeChecks: readonly Check[] = [fullMtuCheck, tooBigCheck, bulkCheck, burstCheck];

interface SizedPair extends Pair<PodPlace, PodPlace> {
  readonly mtu: number;
}

type Probed = SizedPair & { readonly result: SizeResult };

interface Around {
  before(pod: PodPlace): Promise<void>;
  after(pod: PodPlace): Promise<void>;
}

/** One pair of each relation; with `around` only those whose packets are encapsulated. */
async function probeEach(lab: Lab, sized: (pair: Pair<PodPlace, PodPlace>) => Promise<SizedPair>, around?: Around): Promise<Probed[]> {
  const relations = around ? RELATIONS.filter((relation) => relation !== 'same-node') : RELATIONS;
  const firsts = relations.flatMap((relation) => podPairs(lab, relation).slice(0, 1));
  const seen: Probed[] = [];
  for (const pair of firsts) {
    const one = await sized(pair);
    await around?.before(pair.from);
    try {
      const results = await probeSize(lab, one.from, echoTargets(lab.podAddresses(one.to), 'UDP'), one.mtu);
      seen.push(...results.map((result) => ({ ...one, result })));
    } finally {
      await around?.after(pair.from);
    }
  }
  return seen;
}

function probeText({ from, to, mtu, result }: Probed): string {
  return `${from.id} to ${to.id} (${result.target}): ${mtu} bytes: ${result.fits}, ${mtu + 1} bytes: ${result.exceeds}`;
}

async function mtuOf(lab: Lab, pod: PodPlace): Promise<number> {
  const rows = await tableRows<EndpointRow>(nodeOf(lab, pod), 'endpoints');
  const row = rows.find(({ row }) => row.pod === pod.name);
  expectThat(row !== undefined, `the agent of ${pod.node} does not know the pod ${pod.id}`);
  return row.row.mtu;
}

async function setMtu(pod: PodPlace, mtu: number): Promise<void> {
  const ip = ['ip', '-n', pod.netns];
  await runCommand([...ip, 'link', 'set', 'eth0', 'mtu', String(mtu)]);
  // What the pod has learned about paths must not answer in the datapath's place.
  for (const family of ['-4', '-6']) await runCommand([...ip, family, 'route', 'flush', 'cache']);
}
