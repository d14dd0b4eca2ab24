import { CodedError } from '@isthmus/core';
import { raiseSocketBuffers } from '@isthmus/datapath';
import { type ClusterPlan, type Lab, type NodePlace, repositoryFile, waitUntil } from '@isthmus/lab';
import { BENCH_CHILD } from '../bench.errors.ts';
import { buildPlainPods, ip, plainPodNetwork, plainTunnelLines } from '../pod-to-pod/plain-network.ts';
import { wireguardProcesses } from './wireguard-processes.ts';

const DEVICE = 'wg0';
const PORT = 51_871;
/** What of a packet WireGuard takes on a network of 1500, and what a tunnel in it takes: see docs/guides/encryption.md. */
const [WIREGUARD_MTU, TUNNEL_OVERHEAD] = [1440, 50];
/** As the agent's devices have it: packets that wait for the process, and bytes that wait in its sockets. */
const [QUEUE_LENGTH, SOCKET_BYTES] = [10_000, 32 * 1024 * 1024];
const TIMEOUT_MS = 10_000;

/** What lies between two nodes: WireGuard alone, or a tunnel inside of it. */
export type Encapsulation = 'native' | 'tunnel';

/**
 * What somebody sets up who wants two nodes' pods to reach each other in secret, and has the same programs: a device that the same wireguard-go serves,
 * with the same MTU and the same room for what waits, and in it the pods' packets, or a VXLAN device of the kernel. Nobody changes its keys.
 */
export async function buildWireGuard(lab: Lab, encapsulation: Encapsulation): Promise<void> {
  const [cluster] = lab.plan.clusters as [ClusterPlan];
  const [one, other] = cluster.nodes as [NodePlace, NodePlace];
  await buildPlainPods(lab, encapsulation === 'native' ? WIREGUARD_MTU : WIREGUARD_MTU - TUNNEL_OVERHEAD);
  const keys = [await makeDevice(lab, one), await makeDevice(lab, other)] as const;
  await join(lab, cluster, { from: one, to: other, publicKey: keys[1], encapsulation });
  await join(lab, cluster, { from: other, to: one, publicKey: keys[0], encapsulation });
}

/** Gives the processes' sockets the room that the agent gives its own. Once there was a handshake they are open. */
export function raiseBuffers(lab: Lab): void {
  for (const { pid } of wireguardProcesses(lab)) raiseSocketBuffers(pid, SOCKET_BYTES);
}

/** A device with a key, whose process runs until the lab goes. @returns the public key */
async function makeDevice(lab: Lab, node: NodePlace): Promise<string> {
  // It goes to the background by itself, and ends with its device. A session of its own for each node, as an agent's are: the kernel shares out
  // processors between sessions first (sched_autogroup), and in the sender's own each of its many threads would count as much as the sender.
  await run(lab, node, ['setsid', 'wireguard-go', DEVICE]);
  const isThere = async (): Promise<boolean> => (await lab.exec(node, found(['wg', 'show', DEVICE]))).status === 0;
  await waitUntil(isThere, { what: `${DEVICE} of ${node.id}`, timeoutMs: TIMEOUT_MS });
  const secret = await run(lab, node, ['wg', 'genkey']);
  // What this process gives is a socket, which cannot be opened by its name; a pipe can.
  await run(lab, node, ['sh', '-c', `cat | wg set ${DEVICE} private-key /dev/stdin listen-port ${PORT}`], secret);
  await ip(node.netns, [`link set ${DEVICE} mtu ${WIREGUARD_MTU} txqueuelen ${QUEUE_LENGTH} up`]);
  return (await run(lab, node, ['wg', 'pubkey'], secret)).trim();
}

interface Direction {
  readonly from: NodePlace;
  readonly to: NodePlace;
  /** Of the receiver. */
  readonly publicKey: string;
  readonly encapsulation: Encapsulation;
}

async function join(lab: Lab, cluster: ClusterPlan, { from, to, publicKey, encapsulation }: Direction): Promise<void> {
  const [own, far] = [from, to].map((node) => cluster.nodes.indexOf(node)) as [number, number];
  const inner = (node: number): string => `10.200.0.${1 + node}`;
  const network = encapsulation === 'native' ? plainPodNetwork(far) : `${inner(far)}/32`;
  const peer = ['peer', publicKey, 'endpoint', `${to.addresses.ipv4}:${PORT}`, 'allowed-ips', network];
  await run(lab, from, ['wg', 'set', DEVICE, ...peer]);
  await ip(from.netns, [`address add ${inner(own)}/32 dev ${DEVICE}`, `route add ${network} dev ${DEVICE}`]);
  if (encapsulation === 'native') return;
  const tunnel = { local: inner(own), remote: inner(far), mtu: WIREGUARD_MTU - TUNNEL_OVERHEAD };
  await ip(from.netns, plainTunnelLines(cluster, from, tunnel));
}

/** Programs of the toolchain come first, as they do for agents. */
function found(argv: readonly string[]): string[] {
  return ['env', '-u', 'LOG_LEVEL', `PATH=${repositoryFile('.toolchain/wireguard/usr/bin')}:${process.env['PATH'] ?? ''}`, ...argv];
}

async function run(lab: Lab, node: NodePlace, argv: readonly string[], input = ''): Promise<string> {
  const { status, stdout, stderr } = await lab.exec(node, found(argv), { input });
  if (status === 0) return stdout;
  throw new CodedError(BENCH_CHILD, `${argv.slice(0, 2).join(' ')} in ${node.id} failed: ${stderr.trim()}`, { object: node.id });
}
