import type { Lab } from '../lab.ts';
import { getJson } from '../machine/http-get.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { agentSocket } from '../node/agent.ts';
import { encrypts } from '../node/wireguard-toolchain.ts';
import type { NodePlace } from '../topology/plan.ts';
import { allNodes } from './pairs.ts';

/** What an agent says of encryption. */
export interface EncryptionView {
  readonly problem?: string;
  readonly implementation: string;
  readonly devices: readonly { readonly name: string; readonly epoch: number | null }[];
  /** Whether preshared keys are agreed on. */
  readonly pq: 'off' | 'preferred' | 'required';
  readonly peers: readonly PeerView[];
  readonly mesh: { readonly target: number; readonly nodes: number; readonly atTarget: number };
}

interface PeerView {
  readonly name: string;
  readonly tx: string;
  readonly epoch: number | null;
  readonly state: string;
  /** The session has a preshared key. */
  readonly pq: boolean;
}

const TIMEOUT_MS = 60_000;

/** Whether the nodes of a lab encrypt. */
export function hasEncryption(lab: Lab): boolean {
  return allNodes(lab).every(encrypts);
}

/** Reads it. */
export async function encryptionOf(node: NodePlace): Promise<EncryptionView | undefined> {
  return (await getJson(agentSocket(node), '/v1/encryption')) as EncryptionView | undefined;
}

/**
 * Waits until every node sends to every other one by keys of an epoch, preshared ones too where they are required, and has none of an older
 * one.
 * @param epoch any that all nodes are at, unless given
 * @param nodes all nodes that know of each other: those of the mesh, unless given
 * @returns the epoch
 */
export function waitForEpoch(lab: Lab, epoch?: number, nodes: readonly NodePlace[] = allNodes(lab)): Promise<number> {
  let seen = '';
  const settled = async (): Promise<number | false> => {
    const views = await Promise.all(nodes.map(encryptionOf));
    seen = views.map((view, i) => `${nodes[i]!.id}: ${view ? summaryOf(view) : 'does not answer'}`).join('; ');
    const wanted = epoch ?? views[0]?.mesh.target ?? 0;
    return wanted > 0 && views.every((view) => view !== undefined && isAt(view, wanted, nodes.length)) && wanted;
  };
  const what =
    epoch === undefined ? 'all nodes to send to each other by the same keys' : `all nodes to send to each other by keys of epoch ${epoch}`;
  return waitUntil(settled, { what, timeoutMs: TIMEOUT_MS, onTimeout: () => seen });
}

/** Waits until these nodes send to each other by keys of an epoch. */
export async function waitForEpochAmong(nodes: readonly NodePlace[], epoch: number, timeoutMs = TIMEOUT_MS): Promise<void> {
  const names = new Set(nodes.map(({ id }) => id));
  const settled = async (): Promise<boolean> => {
    const views = await Promise.all(nodes.map(encryptionOf));
    return views.every((view) => view?.peers.filter(({ name }) => names.has(name)).every((peer) => peer.epoch === epoch));
  };
  await waitUntil(settled, { what: `${[...names].join(', ')} to send to each other by keys of epoch ${epoch}`, timeoutMs });
}

function isAt({ devices, peers, pq }: EncryptionView, epoch: number, nodes: number): boolean {
  const live = devices.flatMap((device) => (device.epoch === null ? [] : [device.epoch]));
  return (
    live.length === 1 &&
    live[0] === epoch &&
    peers.length === nodes - 1 &&
    peers.every((peer) => peer.epoch === epoch && (peer.pq || pq !== 'required'))
  );
}

function summaryOf({ problem, devices, peers }: EncryptionView): string {
  const has = devices.map(({ epoch }) => epoch ?? '-').join('/');
  return `has ${has}, sends ${peers.map(({ name, tx, state }) => `${name} ${tx} (${state})`).join(', ')}${problem ? `, ${problem}` : ''}`;
}
