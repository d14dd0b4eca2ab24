import { Lab, loadTopology, type NodePlace, type PodPlace, type Topology } from '@isthmus/lab';
import type { Bench } from '../benches.ts';
import type { Samples, Series, SeriesMetric } from '../series.ts';
import { CniRuntime } from './cni-runtime.ts';

const LAB = 'bench';
/** Pods of a round; 200 samples are what a p95 takes. */
const [PODS, ROUNDS] = [50, 4];
const AT_ONCE = 8;
const [MAX_P50_MS, MAX_P95_MS] = [30, 100];

/** How long a container runtime waits for a pod's network: the plugin is started, and has ended, each time. */
export const cni: Bench = {
  name: 'cni',
  about: `CNI ADD, the start of the plugin included: ${PODS * ROUNDS} one after another, and ${PODS} at a time by ${AT_ONCE}`,
  open: async (progress) => {
    await Lab.down(LAB);
    const lab = await Lab.up(topology(), { name: LAB, progress });
    const runtime = await CniRuntime.make(lab, lab.plan.clusters[0]?.nodes[0] as NodePlace, PODS);
    progress(`${PODS} pods wait for their network`);
    return {
      cases: [series('one after another', runtime, 1), series(`${AT_ONCE} at a time`, runtime, AT_ONCE)],
      ownProcesses: () => lab.processes.list().map(({ pid }) => pid),
    };
  },
  remove: () => Lab.down(LAB),
};

/** A node with more addresses than one: pods come faster here than anywhere, and a released address rests half a minute. */
function topology(): Topology {
  const one = loadTopology('one-node');
  const config = { 'cluster-pool-ipv4-mask-size': '20', 'cluster-pool-ipv6-mask-size': '116' };
  return { ...one, clusters: one.clusters.map((cluster) => ({ ...cluster, config })) };
}

function series(name: string, runtime: CniRuntime, atOnce: number): Series {
  const metric = (statistic: 'p50' | 'p95', value: number): SeriesMetric => ({
    name: `add ${name} ${statistic}`,
    unit: 'ms',
    better: 'lower',
    goal: { must: 'be at most', value },
    statistic,
    of: 'add',
    peer: null,
  });
  return { name, rounds: ROUNDS, round: () => addAll(runtime, atOnce), metrics: [metric('p50', MAX_P50_MS), metric('p95', MAX_P95_MS)] };
}

/** Adds all pods, so many at once, and takes them away again. */
async function addAll(runtime: CniRuntime, atOnce: number): Promise<Samples> {
  const add: number[] = [];
  await eachOf(runtime.pods, atOnce, async (pod) => add.push(await runtime.add(pod)));
  await eachOf(runtime.pods, atOnce, (pod) => runtime.remove(pod));
  return { add };
}

async function eachOf(pods: readonly PodPlace[], atOnce: number, fn: (pod: PodPlace) => Promise<unknown>): Promise<void> {
  const waiting = [...pods];
  const worker = async (): Promise<void> => {
    for (let pod = waiting.shift(); pod; pod = waiting.shift()) await fn(pod);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
