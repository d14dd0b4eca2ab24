import { Lab } from '@isthmus/lab';
import type { Bench } from '../benches.ts';
import type { Samples, Series, SeriesMetric } from '../series.ts';
import type { Instant, RackCable } from './rack-cable.ts';
import { RackNode } from './rack-node.ts';

const [LAB, TOPOLOGY] = ['benchrack', 'bgp-rack'];
/** Of each node: pod CIDRs of the three others and the service of the other cluster, over both families. */
const [ROUTES, PEERS] = [8, 3];
/** Each round cuts something of each of the four nodes; a p95 takes 200 cuts. */
const ROUNDS = { silent: 50, carrier: 25, withdrawn: 50 } as const;
const GOALS = { p50: { must: 'be at most', value: 200 }, p95: { must: 'be at most', value: 300 } } as const;
const CARRIER_GOAL = { must: 'be at most', value: 50 } as const;

type Kind = keyof typeof ROUNDS;

let opened: { readonly lab: Lab; readonly nodes: readonly RackNode[] } | undefined;

/**
 * How long it takes from a cut until a node's kernel sends nothing over the cut link any more. Every time is counted from before the system call
 * that makes the cut, so that none is too short; how long that call took is told beside.
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
    for (const node of nodes) await node.settled(ROUTES, PEERS);
    progress(`${nodes.length} nodes have learned all routes over both links`);
    return {
      cases: (['silent', 'carrier', 'withdrawn'] as const).map((kind) => series(kind, nodes, progress)),
      ownProcesses: () => lab.processes.list().map(({ pid }) => pid),
    };
  },
  remove: async () => {
    const nodes = opened?.nodes ?? [];
    opened = undefined; // an interrupted run removes twice
    for (const node of nodes) await node.close();
    await Lab.down(LAB);
  },
};

function series(kind: Kind, nodes: readonly RackNode[], progress: (line: string) => void): Series {
  let done = 0;
  const round = async (): Promise<Samples> => {
    const samples: Record<string, number[]> = { routes: [], peers: [], call: [] };
    for (const node of nodes) {
      // With both links of one node cut, others lose routes: all must have theirs again.
      for (const each of kind === 'withdrawn' ? nodes : [node]) await each.whole();
      const found = await CUTS[kind](node, node.cables[done % node.cables.length] as RackCable);
      for (const [name, value] of Object.entries(found)) samples[name]?.push(value);
    }
    done++;
    progress(`${kind}: ${nodes.length * done} cuts, the last after ${samples['routes']?.map((ms) => ms.toFixed(0)).join(', ')} ms`);
    return samples;
  };
  return { name: kind, rounds: ROUNDS[kind], round, metrics: METRICS[kind] };
}

/** Milliseconds of one cut. */
interface Times {
  readonly routes: number;
  readonly peers?: number;
  /** Of the call that made it, which is how much too long the others may be. */
  readonly call: number;
}

const CUTS: Readonly<Record<Kind, (node: RackNode, cable: RackCable) => Promise<Times>>> = {
  silent: async (node, cable) => {
    const cut = cable.silence();
    const at = await node.routesLeft([cable.device]);
    cable.speak();
    return { routes: at - cut.before, call: cut.after - cut.before };
  },
  carrier: async (node, cable) => {
    const cut = cable.pullOut();
    const at = await node.routesLeft([cable.device]);
    const plugIn = await cable.plugIn();
    await plugIn();
    return { routes: at - cut.before, call: cut.after - cut.before };
  },
  withdrawn: async (node) => {
    const cuts = node.cables.map((cable) => cable.silence());
    const [routes, peers] = await Promise.all([node.routesLeft(node.cables.map(({ device }) => device)), node.peersLeft()]);
    for (const cable of node.cables) cable.speak();
    const [first, last] = [cuts[0], cuts.at(-1)] as [Instant, Instant];
    return { routes: routes - first.before, peers: peers - first.before, call: last.after - first.before };
  },
};

const common = { unit: 'ms', better: 'lower', peer: null } as const;

/** Both percentiles, of quiet rounds and, for what it is worth, of all. */
function percentiles(name: string, of: keyof Times): SeriesMetric[] {
  const both = ['p50', 'p95'] as const;
  return [
    ...both.map((statistic) => ({ ...common, name: `${name} ${statistic}`, of, statistic, goal: GOALS[statistic] })),
    ...both.map((statistic) => ({ ...common, name: `${name}, others at work ${statistic}`, of, statistic, goal: null, always: true })),
  ];
}

const METRICS: Readonly<Record<Kind, readonly SeriesMetric[]>> = {
  silent: [
    ...percentiles('one link silent: no route over it', 'routes'),
    { ...common, name: 'one link silent: the call', of: 'call', statistic: 'p50', goal: null },
  ],
  carrier: [
    { ...common, name: 'carrier lost: no route over it p50', of: 'routes', statistic: 'p50', goal: CARRIER_GOAL },
    { ...common, name: 'carrier lost: no route over it, others at work p50', of: 'routes', statistic: 'p50', goal: null, always: true },
    { ...common, name: 'carrier lost: the call', of: 'call', statistic: 'p50', goal: null },
  ],
  withdrawn: [
    ...percentiles('both links silent: no route', 'routes'),
    ...percentiles('both links silent: no native peer', 'peers'),
    { ...common, name: 'both links silent: the calls', of: 'call', statistic: 'p50', goal: null },
  ],
};
