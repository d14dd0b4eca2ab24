import { delay, systemClock } from '@isthmus/core';
import type { Bench } from '../benches.ts';
import type { Samples, SeriesMetric } from '../series.ts';
import { PairLab } from './pair-lab.ts';

/** A p99 takes a thousand samples. */
const [ROUNDS, CHANGES] = [16, 70];
/** Changes of each kind come ten times a second, the kinds one after another. */
const EVERY_MS = 100;
/** Of about the size of the record that ours passes on. */
const RELAYED = 'x'.repeat(400);
/** p50 at most 1.5 times, p99 at most twice as long as the peer. */
const GOALS = { p50: { must: 'be at least', value: 1 / 1.5 }, p99: { must: 'be at least', value: 1 / 2 } } as const;

let opened: PairLab | undefined;

/**
 * How long it takes from a change in one cluster being acknowledged until another cluster's kernel has it: over three etcds, two apiservers
 * and an agent. The peer is a chain of relays over the same etcds that understands nothing of what it passes on.
 */
export const propagation: Bench = {
  name: 'propagation',
  about: "an EndpointSlice put into one cluster's etcd until it is in the other one's kernel, against a minimal chain of relays",
  open: async (progress) => {
    opened = await PairLab.open(progress);
    const { lab } = opened;
    const round = changesInTurn(opened);
    return {
      cases: [{ name: 'changes', rounds: ROUNDS, round, metrics: metrics() }],
      ownProcesses: () => lab.processes.list().map(({ pid }) => pid),
    };
  },
  remove: async () => {
    const lab = opened;
    opened = undefined; // an interrupted run removes twice
    await PairLab.remove(lab);
  },
};

function metrics(): SeriesMetric[] {
  const common = { unit: 'ms', better: 'lower' } as const;
  return (['p50', 'p99'] as const).flatMap((statistic) => [
    { ...common, statistic, name: `slice to map ${statistic}`, of: 'slice', peer: 'relay', goal: GOALS[statistic] },
    { ...common, statistic, name: `pod ready to map ${statistic}`, of: 'pod', peer: null, goal: null },
  ]);
}

/** A round's changes: ours, the relays' and a pod's in turn, so that none meets another. */
function changesInTurn(mesh: PairLab): () => Promise<Samples> {
  let relayed = 0;
  const kinds = {
    slice: () => mesh.change(mesh.services.nextSlice()),
    relay: () => mesh.relays.pass(`${relayed++ % CHANGES}`, `${RELAYED}${relayed}`),
    pod: () => mesh.change(mesh.services.nextPod()),
  };
  return async () => {
    const samples: Record<keyof typeof kinds, number[]> = { slice: [], relay: [], pod: [] };
    const pause = EVERY_MS / Object.keys(kinds).length;
    let due = performance.now();
    for (let change = 0; change < CHANGES; change++)
      for (const [kind, make] of Object.entries(kinds)) {
        await delay(systemClock, Math.max(0, due - performance.now()));
        due = Math.max(due, performance.now()) + pause;
        samples[kind as keyof typeof kinds].push(await make());
      }
    return samples;
  };
}
