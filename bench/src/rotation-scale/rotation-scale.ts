import type { Bench } from '../benches.ts';
import { OwnProcesses } from '../own-process.ts';
import type { Samples, Series, SeriesMetric } from '../series.ts';
import type { MeasuredRotation } from './rotation-program.ts';

const PROGRAM = new URL('./rotation-program.ts', import.meta.url).pathname;
const NODES = 1_000;
/** Room for what a thousand machines would hold: collecting its garbage is no part of what each of them has to do. */
const FLAGS = ['--max-old-space-size=8192', '--max-semi-space-size=128'];
/** Each takes more than a minute. */
const ROUNDS = 3;
const [MAX_VIRTUAL_S, MAX_CPU_S] = [60, 20];
/** What is linear in the number of nodes is the same for each node, or twice as much among twice as many, but for what is the same in every mesh. */
const [SAME, TWICE] = [1.1, 2.2];

let processes: OwnProcesses | undefined;

/**
 * All nodes of a large mesh in one process: what agents decide by is real, and so are the records that each of them decodes for itself; time, stores,
 * WireGuard and the datapath are simulated. KEM is not in it, but hashes of its keys are in the records. No round is void: processor time is what is counted, which others can
 * only lengthen.
 */
export const rotationScale: Bench = {
  name: 'rotation-scale',
  about: `one change of all keys of ${NODES} simulated nodes`,
  open: async () => {
    const own = new OwnProcesses();
    processes = own;
    return { cases: [series(own)] };
  },
  remove: async () => processes?.end(),
};

function series(own: OwnProcesses): Series {
  let done = 0;
  const round = async (): Promise<Samples> => {
    const seed = ++done;
    const half = await own.run<MeasuredRotation>(PROGRAM, [NODES / 2, seed], FLAGS);
    const whole = await own.run<MeasuredRotation>(PROGRAM, [NODES, seed], FLAGS);
    return {
      ...Object.fromEntries(Object.entries(whole).map(([name, value]) => [name, [value]])),
      heapPerNode: [whole.heapPerNode / 1000],
      writesGrowth: [whole.writesPerNode / half.writesPerNode],
      bytesGrowth: [whole.storeBytesPerNode / half.storeBytesPerNode],
      heapGrowth: [whole.heapPerNode / half.heapPerNode],
    };
  };
  return { name: 'rotation-scale', rounds: ROUNDS, noisy: false, round, metrics: METRICS };
}

function metric(name: string, unit: string, of: keyof MeasuredRotation | `${string}Growth`, atMost?: number): SeriesMetric {
  const goal = atMost === undefined ? null : ({ must: 'be at most', value: atMost } as const);
  return { name, unit, better: 'lower', goal, statistic: 'median', of, peer: null };
}

const METRICS: readonly SeriesMetric[] = [
  metric('virtual time until all pairs have switched', 's', 'switchedS'),
  metric('virtual time until old keys are wiped', 's', 'wipedS', MAX_VIRTUAL_S),
  metric('CPU of all nodes', 's', 'cpuS', MAX_CPU_S),
  metric('CPU of all nodes: decoding records', 's', 'decodingS'),
  metric('looks of a node', 'looks', 'looksPerNode'),
  metric('writes of a node', 'writes', 'writesPerNode'),
  metric('writes of a node, against half the mesh', 'times', 'writesGrowth', SAME),
  metric('bytes that a node writes', 'B', 'storeBytesPerNode'),
  metric('bytes that a node writes, against half the mesh', 'times', 'bytesGrowth', SAME),
  metric('heap of a node', 'kB', 'heapPerNode'),
  metric('heap of a node, against half the mesh', 'times', 'heapGrowth', TWICE),
];
