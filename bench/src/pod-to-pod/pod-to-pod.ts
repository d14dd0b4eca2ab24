import type { Bench } from '../benches.ts';
import type { Case } from '../harness.ts';
import { trafficProgram } from '../traffic-program.ts';
import { type BenchLabs, bringUpLabs, removeLabs } from './bench-labs.ts';
import { requireSameDevices } from './fairness.ts';
import { buildPlainNetwork, plainPodAddress } from './plain-network.ts';
import { measure, type TrafficKind, type Way } from './way.ts';

const GOAL = { must: 'be at least', value: 0.95 } as const;
const ROUNDS = 15;

/** One thing to measure on every way. */
interface Measurement {
  readonly name: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly kind: TrafficKind;
}

/**
 * Streams and floods use both processors, as they do on any machine. Round trips use one: between two of them most of a round trip is
 * the wake-up of an idle virtual processor, the same for everybody, which would hide what the way itself costs.
 */
const MEASUREMENTS: readonly Measurement[] = [
  {
    name: 'tcp-stream',
    unit: 'Gb/s',
    better: 'higher',
    kind: { receiver: 'sink', sender: 'stream', measuring: 'receiver', cpus: { sender: 0, receiver: 1 }, milliseconds: 700 },
  },
  {
    name: 'udp-rtt',
    unit: 'us',
    better: 'lower',
    kind: { receiver: 'echo', sender: 'ping-pong', measuring: 'sender', cpus: { sender: 1, receiver: 1 }, milliseconds: 500 },
  },
  {
    name: 'small-packet-rate',
    unit: 'kpps',
    better: 'higher',
    kind: { receiver: 'count', sender: 'flood', measuring: 'receiver', cpus: { sender: 0, receiver: 1 }, milliseconds: 500 },
  },
];

/** Which pods the traffic of each variant runs between. */
const WAYS = [
  { name: 'same-node', from: 'a1', to: 'a2' },
  { name: 'vxlan', from: 'a1', to: 'b1' },
] as const;

/**
 * Pods of one node against plain veth pairs that the kernel routes between; pods of two nodes against a kernel VXLAN device. Both sides
 * run on this machine at the same time, on underlays of the same build.
 */
export const podToPod: Bench = {
  name: 'pod-to-pod',
  about: 'pods of one node against plain veth routing, pods of two nodes against a kernel VXLAN device',
  open: async (progress) => {
    const labs = await bringUpLabs(progress);
    await buildPlainNetwork(labs.plain);
    const program = await trafficProgram();
    await requireSameDevices(program, labs);
    return { cases: cases(program, labs), ownProcesses: () => labs.ours.processes.list().map(({ pid }) => pid) };
  },
  remove: removeLabs,
};

function cases(program: string, labs: BenchLabs): Case[] {
  return WAYS.flatMap(({ name: variant, from, to }) => {
    const [ours, peer] = [wayOfOurs(labs, from, to), wayOfPlain(labs, from, to)];
    return MEASUREMENTS.map(
      ({ name, unit, better, kind }): Case => ({
        name: `${name} ${variant}`,
        unit,
        better,
        noisy: true,
        goal: GOAL,
        rounds: ROUNDS,
        ours: () => measure(program, ours, kind),
        peer: () => measure(program, peer, kind),
      }),
    );
  });
}

function wayOfOurs({ ours: lab }: BenchLabs, from: string, to: string): Way {
  const receiver = lab.pod('east', to);
  return { lab, from: lab.pod('east', from), to: receiver, address: lab.podAddresses(receiver).ipv4 };
}

function wayOfPlain({ plain: lab }: BenchLabs, from: string, to: string): Way {
  const receiver = lab.pod('east', to);
  return { lab, from: lab.pod('east', from), to: receiver, address: plainPodAddress(lab, receiver) };
}
