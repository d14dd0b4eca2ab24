import { Lab } from '@isthmus/lab';
import type { Bench } from '../benches.ts';
import { foreignCpuMeter } from '../foreign-cpu.ts';
import type { NoiseMeter } from '../harness.ts';
import type { Samples, Series, SeriesMetric } from '../series.ts';
import type { Instant, RackCable } from './rack-cable.ts';
import { RackNode } from './rack-node.ts';

const [LAB, TOPOLOGY] = ['benchrack', 'bgp-rack'];
/** Of each node, over both families: routes to the pods of the three others and to a service of the other cluster, peers by both addresses. */
const [ROUTES, PEERS] = [8, 6];
/** Each round cuts something of each of the four nodes: a p95 takes 200 cuts. */
const ROUNDS = { silent: 50, carrier: 25, withdrawn: 50 } as const;
const GOALS = { p50: { must: 'be at most', value: 200 }, p95: { must: 'be at most', value: 300 } } as const;
const CARRIER_GOAL = { must: 'be at most', value: 50 } as const;

type Kind = keyof typeof ROUNDS;

let opened: { readonly lab: Lab; readonly nodes: readonly RackNode[] } | undefined;

/**
 * How long it takes from a cut until a node's kernel sends nothing over the cut link any more. Every time is counted from before the system call
 * that makes the cut, so that none is too short; how long that call took is told beside. No round is void: others' work can only lengthen a time,
 * so that a goal is met whatever they did, and a miss says something only where they did little.
 */
export const failover: Bench = {
  name: 'failover',
  about: 'one or both of the links of a node fail: until its kernel has no learned route over them, and its datapath no native peer',
  open: async (progress) => {
    await Lab.down(LAB);
    const lab = await Lab.up(TOPOLOGY, { name: LAB, progress });
    const places = lab.plan.clusters.flatMap(({ nodes }) => nodes);
    const nodes: RackNode[] = [];
    opened = { lab, nodes };
    for (const place of places) nodes.push(await RackNode.open(lab, place));
    for (const node of nodes) await node.whole(ROUTES, PEERS);
    progress(`${nodes.length} nodes have learned all routes over both links`);
    const ownProcesses = (): number[] => lab.processes.list().map(({ pid }) => pid);
    const noise = foreignCpuMeter(ownProcesses);
    return { cases: (['silent', 'carrier', 'withdrawn'] as const).map((kind) => series(kind, nodes, noise, progress)), ownProcesses };
  },
  remove: async () => {
    const nodes = opened?.nodes ?? [];
    opened = undefined; // an interrupted run removes twice
    for (const node of nodes) await node.close();
    await Lab.down(LAB);
  },
};

function series(kind: Kind, nodes: readonly RackNode[], noise: NoiseMeter, progress: (line: string) => void): Series {
  let done = 0;
  const round = async (): Promise<Samples> => {
    const others = noise();
    const times = await CUTS[kind](nodes, done++);
    progress(`${kind}: ${times.length * done} cuts, the last after ${times.map(({ routes }) => routes.toFixed(0)).join(', ')} ms`);
    const named = (name: keyof Times): number[] => times.flatMap((each) => each[name] ?? []);
    return { routes: named('routes'), peers: named('peers'), call: named('call'), others: [others()] };
  };
  return { name: kind, rounds: ROUNDS[kind], noisy: false, round, metrics: METRICS[kind] };
}

/** Milliseconds of one cut. */
interface Times {
  readonly routes: number;
  readonly peers?: number;
  /** Of the call that made it, which is how much too long the others may be. */
  readonly call: number;
}

type Cuts = (nodes: readonly RackNode[], round: number) => Promise<Times[]>;

/** Something that is done to one link of each node in turn: while one comes back, the next one is cut already. */
function oneByOne(cut: (node: RackNode, cable: RackCable) => Promise<Times>): Cuts {
  return async (nodes, round) => {
    const times: Times[] = [];
    for (const node of nodes) {
      await node.whole(ROUTES, PEERS);
      times.push(await cut(node, node.cables[round % node.cables.length] as RackCable));
    }
    return times;
  };
}

const CUTS: Readonly<Record<Kind, Cuts>> = {
  silent: oneByOne(async (node, cable) => {
    const cut = cable.silence();
    const at = await node.routesLeft([cable]);
    cable.speak();
    return { routes: at - cut.before, call: cut.after - cut.before };
  }),
  carrier: oneByOne(async (node, cable) => {
    const cut = cable.pullOut();
    const at = await node.routesLeft([cable]);
    const plugIn = await cable.plugIn();
    await plugIn();
    return { routes: at - cut.before, call: cut.after - cut.before };
  }),
  /** All nodes at once, which are the poorer for it: they share what processors there are, and each loses its routes by what happened to itself. */
  withdrawn: async (nodes) => {
    for (const node of nodes) await node.whole(ROUTES, PEERS);
    const times = await Promise.all(nodes.map(isolated));
    for (const { cables } of nodes) for (const cable of cables) cable.speak();
    return times;
  },
};

async function isolated(node: RackNode): Promise<Times> {
  const cuts = node.cables.map((cable) => cable.silence());
  const [routes, peers] = await Promise.all([node.routesLeft(node.cables), node.peersLeft()]);
  const [first, last] = [cuts[0], cuts.at(-1)] as [Instant, Instant];
  return { routes: routes - first.before, peers: peers - first.before, call: last.after - first.before };
}

const common = { unit: 'ms', better: 'lower', peer: null, goal: null } as const;

function percentiles(name: string, of: keyof Times): SeriesMetric[] {
  return (['p50', 'p95'] as const).map((statistic) => ({
    ...common,
    name: `${name}, ${statistic}`,
    of,
    statistic,
    goal: GOALS[statistic],
  }));
}

/** What lies beside: by how much all times may be too long, and what else the machine had to do. */
function besides(name: string): SeriesMetric[] {
  return [
    { ...common, name: `${name}: the call that cuts, p50`, of: 'call', statistic: 'p50' },
    { ...common, name: `${name}: others' work meanwhile`, unit: 'cores', of: 'others', statistic: 'mean' },
  ];
}

const METRICS: Readonly<Record<Kind, readonly SeriesMetric[]>> = {
  silent: [...percentiles('one link silent: no route over it', 'routes'), ...besides('one link silent')],
  carrier: [
    { ...common, name: 'carrier lost: no route over it, p50', of: 'routes', statistic: 'p50', goal: CARRIER_GOAL },
    ...besides('carrier lost'),
  ],
  withdrawn: [
    ...percentiles('both links silent: no route', 'routes'),
    ...percentiles('both links silent: no native peer', 'peers'),
    ...besides('both links silent'),
  ],
};
