import { delay, systemClock } from '@isthmus/core';
import { l4Key } from '@isthmus/model';
import type { Fault, Undo } from '../fault/fault.ts';
import { cutLink, silenceLink } from '../fault/network.faults.ts';
import type { Lab } from '../lab.ts';
import { agentId, startAgent, waitForAgent } from '../node/agent.ts';
import { FAMILIES } from '../rack/rack-session.ts';
import { torRoutes } from '../rack/tor-view.ts';
import { linksOf, type NodePlace, type PodPlace } from '../topology/plan.ts';
import type { RackPlan } from '../topology/rack-plan.ts';
import { DEFAULT_PPS, type FlowReport, type FlowSpec } from '../traffic/flow.ts';
import { ECHO_PORT } from '../traffic/traffic-program.ts';
import { nodeSessions, podCidrsOf, rackOf, untilSessionsUp } from './bgp-view.ts';
import { type Check, expectThat } from './check.ts';
import { expectNoLoss, flowSet, trafficWhile } from './flow-set.ts';
import { allNodes, nodeOf, type Pair, podPairs, RELATIONS } from './pairs.ts';
import { hasRacks, racksOf } from './rack.checks.ts';

/** Every flow has its own port, and with it its own link: of so many, each link of a node has some. */
const MANY = { flows: 16, pps: 100 } as const;
/** Fewer and faster: what each of them loses tells the milliseconds. Of so many, some use any one link of a node, to it or from it. */
const FAST = { flows: 6, pps: DEFAULT_PPS } as const;
/** What may pass between a flow's last answer over one link and its first over the other: BFD needs three times 50 ms to notice. */
const FAILOVER_MS = 300;
/** How long packets are looked at before a fault, and twice as long after it. */
const LOOK_MS = 500;

/** Several flows between two pods on different nodes, over both families. */
function flowsBetween(lab: Lab, { from, to }: Pair<PodPlace, PodPlace>, { flows, pps }: { flows: number; pps: number }): FlowSpec[] {
  const addresses = lab.podAddresses(to);
  return Array.from({ length: flows }, (_, index) => {
    const family = FAMILIES[index % FAMILIES.length] ?? 'ipv4';
    return {
      name: `${from.id} to ${to.id}, ${family}, ${index}`,
      from,
      to: [to],
      target: l4Key('UDP', addresses[family], ECHO_PORT),
      pps,
    };
  });
}

function pairAcrossClusters(lab: Lab): Pair<PodPlace, PodPlace> {
  const [pair] = podPairs(lab, 'across-clusters');
  expectThat(pair !== undefined, 'there are no pods in two clusters');
  return pair;
}

/** Traffic needs time; there is no condition to wait for. */
function aWhile(): Promise<void> {
  return delay(systemClock, LOOK_MS);
}

/** Between nodes and between clusters packets are on the wire as the pods sent them: nothing is around them. */
const nativeCheck: Check = {
  name: 'bgp-native-traffic',
  disruptive: false,
  applies: (lab) => hasRacks(lab) && podPairs(lab, 'across-clusters').length > 0,
  async run(lab) {
    await untilSessionsUp(lab);
    const specs = (await flowSet(lab)).filter(({ name }) =>
      RELATIONS.some((relation) => relation !== 'same-node' && name.startsWith(relation)),
    );
    const { flows, sniffer } = await trafficWhile(lab, specs, aWhile, { sniff: true });
    expectThat(sniffer?.lost === 0, `the sniffers had no room for ${sniffer?.lost} flows`);
    const wrong = flows.filter(({ lost, sent, plaintext, bare }) => lost > 0 || plaintext !== 2 * sent || bare !== plaintext);
    expectThat(wrong.length === 0, wrong.map(nativeProblem).join('; '));
    return `${sniffer?.plaintext} packets of ${flows.length} flows across nodes and clusters seen on the links, all of them bare`;
  },
};

function nativeProblem({ name, sent, lost, plaintext = 0, bare = 0 }: FlowReport): string {
  return `${name}: ${sent} sent, ${lost} lost, ${plaintext} seen, ${plaintext - bare} of them in a tunnel`;
}

/** Flows between two nodes use both links of each. */
const bothLinksCheck: Check = {
  name: 'bgp-both-links-are-used',
  disruptive: false,
  applies: (lab) => hasRacks(lab) && podPairs(lab, 'across-clusters').length > 0,
  async run(lab) {
    await untilSessionsUp(lab);
    const { from, to } = pairAcrossClusters(lab);
    const { sniffer } = await trafficWhile(lab, flowsBetween(lab, { from, to }, MANY), aWhile, {
      sniff: [nodeOf(lab, from), nodeOf(lab, to)],
    });
    const shares = [from, to].flatMap((pod) =>
      linksOf(lab.plan, nodeOf(lab, pod)).map((link) => {
        const packets = sniffer?.cables.get(`${rackOf(lab, nodeOf(lab, pod)).netns}/${link.port}`) ?? 0;
        return { name: `${nodeOf(lab, pod).id} ${link.device}`, packets };
      }),
    );
    const idle = shares.filter(({ packets }) => packets === 0);
    const text = shares.map(({ name, packets }) => `${name} ${packets}`).join(', ');
    expectThat(idle.length === 0, `${idle.map(({ name }) => name).join(', ')} carried nothing: ${text}`);
    return `packets of ${MANY.flows} flows by the link that they left their node on: ${text}`;
  },
};

/** When one link of a node is silent, or without carrier, the flows on it go on over the other one. */
function failoverCheck(name: string, fault: (id: string, device: string) => Fault): Check {
  return {
    name,
    disruptive: true,
    applies: (lab) => hasRacks(lab) && podPairs(lab, 'across-clusters').length > 0,
    async run(lab) {
      const { from, to } = pairAcrossClusters(lab);
      const seen: string[] = [];
      for (const pod of [from, to])
        for (const { device } of linksOf(lab.plan, nodeOf(lab, pod))) {
          await untilSessionsUp(lab);
          seen.push(await failover(lab, flowsBetween(lab, { from, to }, FAST), fault(nodeOf(lab, pod).id, device)));
        }
      await untilSessionsUp(lab);
      return seen.join('; ');
    },
  };
}

/** The fault is taken back when the flows have ended: how a link comes back is not asked here. */
async function failover(lab: Lab, specs: readonly FlowSpec[], fault: Fault): Promise<string> {
  let undo: Undo | undefined;
  try {
    const { flows } = await trafficWhile(lab, specs, async () => {
      await aWhile();
      undo = await fault.inject(lab);
      await aWhile();
      await aWhile();
    });
    return failoverText(fault, flows);
  } finally {
    await undo?.();
  }
}

/** How long a flow stood still is told by what it lost in a row: at its end it waits for what is missing. */
function failoverText({ name }: Fault, flows: readonly FlowReport[]): string {
  const hit = flows.filter(({ lost }) => lost > 0);
  const rows = hit.flatMap(({ lostRanges }) => lostRanges.map(([first, last]) => last - first + 1));
  const longest = (Math.max(0, ...rows) * 1000) / FAST.pps;
  // Without carrier nothing need be lost; a link that is silent takes packets with it.
  expectThat(hit.length > 0 || !name.startsWith('silence'), `${name}: no flow was on that link`);
  expectThat(longest <= FAILOVER_MS, `${name}: a flow stood still for ${longest} ms`);
  return `${name}: ${hit.length} of ${flows.length} flows lost packets, for ${longest} ms at most`;
}

/** While each agent is killed and started again, no packet is lost, and no ToR loses a route. */
const agentRestartCheck: Check = {
  name: 'bgp-no-loss-while-agents-restart',
  disruptive: true,
  applies: hasRacks,
  async run(lab) {
    await untilSessionsUp(lab);
    const text = await expectNoLoss(lab, await flowSet(lab), async () => {
      for (const node of allNodes(lab)) await restartAgent(lab, node);
    });
    await untilSessionsUp(lab);
    return `${text}; the ToRs kept every pod CIDR throughout`;
  },
};

async function restartAgent(lab: Lab, node: NodePlace): Promise<void> {
  const cidrs = await podCidrsOf(node);
  try {
    await lab.processes.stop(agentId(node), 'SIGKILL');
    for (const tor of racksOf(lab)) for (const family of FAMILIES) await expectKept(lab, tor, cidrs[family]);
  } finally {
    startAgent(lab.processes, lab.cluster(node.cluster), node);
    await waitForAgent(lab.processes, node);
  }
  for (const tor of racksOf(lab)) for (const family of FAMILIES) await expectKept(lab, tor, cidrs[family]);
  await untilSessionsUp(
    lab,
    nodeSessions(lab).filter((session) => session.node.id === node.id),
  );
}

async function expectKept(lab: Lab, tor: RackPlan, prefix: string): Promise<void> {
  expectThat((await torRoutes(lab, tor, prefix)).length > 0, `${tor.id} lost ${prefix}`);
}

/** Traffic by routes that were learned. */
export const bgpTrafficChecks: readonly Check[] = [
  nativeCheck,
  bothLinksCheck,
  failoverCheck('bgp-silent-link-fails-over', silenceLink),
  failoverCheck('bgp-cut-link-fails-over', cutLink),
  agentRestartCheck,
];
