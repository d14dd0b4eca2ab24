import { Lab, loadTopology, type PodPlace, ping, type Topology, waitForEpoch, waitUntil } from '@isthmus/lab';
import type { Bench } from '../benches.ts';
import type { Case } from '../harness.ts';
import { requireSameDevices } from '../pod-to-pod/fairness.ts';
import { plainPodAddress } from '../pod-to-pod/plain-network.ts';
import { measure, type TrafficKind, type Way } from '../pod-to-pod/way.ts';
import { trafficProgram } from '../traffic-program.ts';
import { buildWireGuard, type Encapsulation, raiseBuffers } from './wireguard-by-hand.ts';
import { wireguardProcesses } from './wireguard-processes.ts';

const [OURS, PLAIN] = ['benchsecret', 'benchhand'];
const GOAL = { must: 'be at least', value: 0.95 } as const;
const ROUNDS = 15;
const TIMEOUT_MS = 20_000;
/** In the one VXLAN is between nodes, in the other pods' packets are as they are. */
const TOPOLOGIES: Readonly<Record<Encapsulation, string>> = { tunnel: 'one-cluster', native: 'bgp-mesh' };

interface Measurement {
  readonly name: string;
  readonly unit: string;
  readonly kind: TrafficKind;
}

/** The processes that encrypt are pinned nowhere, on neither side. */
const MEASUREMENTS: readonly Measurement[] = [
  {
    name: 'tcp-stream',
    unit: 'Gb/s',
    kind: { receiver: 'sink', sender: 'stream', measuring: 'receiver', cpus: { sender: 0, receiver: 1 }, milliseconds: 1_000 },
  },
  {
    name: 'small-packet-rate',
    unit: 'kpps',
    kind: { receiver: 'count', sender: 'flood', measuring: 'receiver', cpus: { sender: 0, receiver: 1 }, milliseconds: 1_000 },
  },
];

let opened: readonly Lab[] = [];
let building: Promise<unknown> | undefined;

/** Pods of two nodes, encrypted, against the same engine that somebody has set up by hand in a network of the same build, on this machine. */
export const encrypted: Bench = {
  name: 'encrypted',
  about: 'encrypted pods of two nodes, natively and through VXLAN, against wireguard-go set up by hand',
  open: async (progress) => ({ cases: cases(progress), ownProcesses: () => opened.flatMap(processesOf) }),
  remove,
};

async function* cases(progress: (line: string) => void): AsyncGenerator<Case> {
  const program = await trafficProgram();
  for (const encapsulation of ['native', 'tunnel'] as const) {
    const built = build(program, encapsulation, progress);
    building = built;
    yield* casesOf(program, encapsulation, await built);
  }
}

/** Both networks, in place of those that there are. */
async function build(program: string, encapsulation: Encapsulation, progress: (line: string) => void): Promise<readonly [Way, Way]> {
  await takeDown();
  const topology = loadTopology(TOPOLOGIES[encapsulation]);
  const plain = await Lab.up(topology, { name: PLAIN, through: 'machine' });
  const ours = await Lab.up(withEncryption(topology), { name: OURS, progress });
  await waitForEpoch(ours);
  await buildWireGuard(plain, encapsulation);
  opened = [ours, plain];
  await requireSameDevices(program, { ours, plain });
  const ways = [wayOf(ours, ours.podAddresses(podsOf(ours)[1]).ipv4), wayOf(plain, plainPodAddress(plain, podsOf(plain)[1]))] as const;
  for (const way of ways) await passes(way);
  raiseBuffers(plain);
  progress(`${encapsulation}: pods of two nodes reach each other on both sides`);
  return ways;
}

function withEncryption(topology: Topology): Topology {
  const config = { 'enable-wireguard': 'true', 'wireguard-rotation-interval': '0' };
  // On the other side nobody looks at what is on the cables.
  return {
    ...topology,
    sniffers: false,
    clusters: topology.clusters.map((cluster) => ({ ...cluster, config: { ...cluster.config, ...config } })),
  };
}

function casesOf(program: string, encapsulation: Encapsulation, [ours, peer]: readonly [Way, Way]): Case[] {
  return MEASUREMENTS.map(({ name, unit, kind }) => ({
    name: `${name} ${encapsulation}`,
    unit,
    better: 'higher',
    noisy: true,
    goal: GOAL,
    rounds: ROUNDS,
    ours: () => measure(program, ours, kind),
    peer: () => measure(program, peer, kind),
  }));
}

function podsOf(lab: Lab): [PodPlace, PodPlace] {
  return [lab.pod('east', 'a1'), lab.pod('east', 'b1')];
}

function wayOf(lab: Lab, address: string): Way {
  const [from, to] = podsOf(lab);
  return { lab, from, to, address };
}

/** The first packet waits for a handshake, or for a route. */
async function passes({ lab, from, address }: Way): Promise<void> {
  await waitUntil(() => ping(lab, from, address, { timeoutS: 1 }), { what: `${address} to be reached`, timeoutMs: TIMEOUT_MS });
}

function processesOf(lab: Lab): number[] {
  return [...lab.processes.list(), ...wireguardProcesses(lab)].map(({ pid }) => pid);
}

/** A lab that is being built cannot be taken down: an interrupted run waits for it. */
async function remove(): Promise<void> {
  const built = building;
  building = undefined;
  await built?.catch(() => undefined);
  await takeDown();
}

async function takeDown(): Promise<void> {
  opened = [];
  for (const name of [OURS, PLAIN]) await Lab.down(name);
}
