import { readFileSync } from 'node:fs';
import { agentId } from '@isthmus/lab';
import type { Bench } from '../benches.ts';
import type { Case } from '../harness.ts';
import { CacheLab } from '../mesh/cache-lab.ts';
import { madeUpCluster } from '../mesh/remote-records.ts';
import type { Samples, Series, SeriesMetric } from '../series.ts';
import { ChangeMaker, type MeshChange } from './change-maker.ts';
import { churn } from './churn.ts';

const CLUSTERS = 250;
/** Of each cluster. */
const SIZE = { nodes: 100, identities: 100, ips: 1_000 } as const;
/** Changes a second, of addresses, identities and nodes. */
const [IPS, IDENTITIES, NODES] = [250, 50, 25];
const TOTAL = IPS + IDENTITIES + NODES;
/** Five minutes in all. */
const [ROUNDS, ROUND_MS] = [15, 20_000];
const STEP_MS = 5_000;
const [FIRST_RATE, LAST_RATE, FACTOR] = [1_000, 64_000, 2];
const [MAX_QUEUE_MS, MAX_CPU_PERCENT] = [100, 15];

let opened: CacheLab | undefined;

/** A mesh of as many clusters as there may be, in which something changes all the time. */
export const meshChurn: Bench = {
  name: 'mesh-churn',
  about: `${IPS} addresses, ${IDENTITIES} identities and ${NODES} nodes a second change in a mesh of ${CLUSTERS} clusters with ${CLUSTERS * SIZE.ips} addresses`,
  open: async (progress) => {
    const clusters = Array.from({ length: CLUSTERS }, (_, index) => madeUpCluster(3 + index, SIZE));
    opened = await CacheLab.open(progress);
    const lab = opened;
    await lab.publish(clusters);
    await lab.follow(clusters);
    progress(`${CLUSTERS} clusters are in the kernel`);
    const changes = new ChangeMaker(clusters);
    const next = mixed(changes);
    const seen = readFileSync(logOf(lab)).length;
    return {
      cases: [steady(lab, next), afterwards(lab, changes, seen), highestRate(lab, next)],
      ownProcesses: () => lab.pids(),
    };
  },
  remove: async () => {
    const lab = opened;
    opened = undefined; // an interrupted run removes twice
    await CacheLab.remove(lab);
  },
};

/** Changes in proportion: of 13 in a row one is a node, two are identities, the rest addresses. */
function mixed(changes: ChangeMaker): () => MeshChange {
  let made = 0;
  return () => {
    const turn = made++ % (TOTAL / NODES);
    if (turn === 0) return changes.node();
    return turn <= IDENTITIES / NODES ? changes.identity() : changes.ip();
  };
}

function steady(lab: CacheLab, next: () => MeshChange): Series {
  const common = { better: 'lower', peer: null } as const;
  const atMost = (value: number) => ({ must: 'be at most', value }) as const;
  const metrics: SeriesMetric[] = [
    { ...common, name: 'queue p50', unit: 'ms', statistic: 'p50', of: 'queue', goal: null },
    { ...common, name: 'queue p99', unit: 'ms', statistic: 'p99', of: 'queue', goal: atMost(MAX_QUEUE_MS) },
    { ...common, name: 'agent', unit: '% of a core', statistic: 'mean', of: 'cpu', goal: atMost(MAX_CPU_PERCENT) },
    { ...common, name: 'missed addresses and nodes', unit: 'changes', statistic: 'sum', of: 'missed', goal: atMost(0), always: true },
  ];
  const round = async (): Promise<Samples> => {
    const { queue, missed, cpu } = await churn(lab, next, TOTAL, ROUND_MS);
    return { queue, missed: [missed], cpu: [cpu] };
  };
  return { name: 'steady', rounds: ROUNDS, round, metrics };
}

/** What can be told only at the end. @param seen length of the agent's log before the first change */
function afterwards(lab: CacheLab, changes: ChangeMaker, seen: number): Series {
  const metric = (name: string, of: string): SeriesMetric => {
    const goal = { must: 'be at most', value: 0 } as const;
    return { name, unit: 'times', better: 'lower', goal, statistic: 'sum', of, peer: null, always: true };
  };
  const round = async (): Promise<Samples> => {
    const labels = new Map(
      (await lab.tableRows<{ id: number; labels: string }>('remote-identities')).map(({ row }) => [row.id, row.labels]),
    );
    const missed = [...changes.labels].filter(([id, expected]) => labels.get(id) !== expected).length;
    const log = readFileSync(logOf(lab), 'utf8').slice(seen);
    return { missed: [missed], reconnects: [log.match(/"to":"(degraded|failed)"|not connected/g)?.length ?? 0] };
  };
  return { name: 'afterwards', rounds: 1, round, metrics: [metric('missed identities', 'missed'), metric('reconnects', 'reconnects')] };
}

/** Doubles the rate until the queue grows beyond its bound; answers the last one that it did not. */
function highestRate(lab: CacheLab, next: () => MeshChange): Case {
  const ours = async (): Promise<number> => {
    let sustained = 0;
    for (let rate = FIRST_RATE; rate <= LAST_RATE; rate *= FACTOR) {
      await lab.compact();
      const { queue, missed, rate: reached } = await churn(lab, next, rate, STEP_MS);
      const late = queue.filter((milliseconds) => milliseconds > MAX_QUEUE_MS).length;
      if (missed > 0 || late > queue.length / 100) break;
      sustained = reached;
    }
    return sustained;
  };
  return { name: 'highest rate sustained', unit: 'changes/s', better: 'higher', noisy: true, goal: null, rounds: 1, ours, peer: null };
}

function logOf({ lab, node }: CacheLab): string {
  return lab.processes.get(agentId(node)).log;
}
