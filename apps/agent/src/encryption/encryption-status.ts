import {
  deviceOf,
  type Epoch,
  type MeshTarget,
  type PeerView,
  type WireGuardDevice,
  type WireGuardDeviceState,
  type WireGuardPeerState,
} from '@isthmus/crypto';
import { WIREGUARD_PORTS, type WireGuardTargetRow } from '@isthmus/model';
import { fingerprintOf } from './key-fingerprint.ts';
import type { PastKey } from './key-history.ts';
import type { RotationFigures } from './rotation-watch.ts';
import { WIREGUARD_NAMES } from './wireguard-devices.ts';

/**
 * How a peer is reached: `no-keys`: it publishes none; `preshared-key`: none was agreed on yet; `handshake`: there was none yet; `excluded`: the
 * configuration says that nothing is sent to it; `closed`: nothing is sent to it for another reason.
 */
export type PeerEncryptionState = 'encrypted' | 'closed' | 'preshared-key' | 'handshake' | 'no-keys' | 'excluded';

/** See `wireguard-pq`. */
export type PresharedMode = 'off' | 'preferred' | 'required';

/** What `isthmus encrypt status` shows. No key is in it, only fingerprints of public ones. */
export interface EncryptionStatus {
  readonly enabled: boolean;
  readonly node: string;
  /** What cannot be encrypted is dropped. */
  readonly strict: boolean;
  readonly encryptNode: boolean;
  /** Whether preshared keys are agreed on. */
  readonly pq: PresharedMode;
  readonly implementation: 'kernel' | 'wireguard-go' | '';
  /** Why nothing can be encrypted. */
  readonly problem?: string;
  /** What goes outside encryption between nodes in any case. */
  readonly exempt: readonly { readonly protocol: string; readonly ports: readonly number[]; readonly what: string }[];
  readonly devices: readonly {
    readonly name: string;
    readonly device: WireGuardDevice;
    readonly port: number;
    readonly epoch: Epoch | null;
    /** Since its key was made; null where it has none. */
    readonly keyAgeSeconds: number | null;
    readonly fingerprint: string;
  }[];
  /** Keys that the node has and had, the newest first. */
  readonly keys: readonly PastKey[];
  readonly rotation: {
    /** What the last change of keys took on this node; null before the first that its agent saw. */
    readonly lastSeconds: number | null;
    /** Packets sent by older keys than the target's, since the agent began. */
    readonly oldEpochPackets: number;
  };
  readonly peers: readonly PeerEncryption[];
  readonly mesh: {
    readonly target: Epoch;
    readonly targetSince: string;
    /** Nodes that publish keys, this one too. */
    readonly nodes: number;
    readonly atTarget: number;
    /** Nodes that are not at the target. */
    readonly laggards: readonly string[];
    /** Nodes without keys. */
    readonly withoutKeys: readonly string[];
    /** Nodes that know of no epochs, for which the even keys have to stay. */
    readonly blockedBy: readonly string[];
    readonly clusters: readonly Omit<WireGuardTargetRow, 'clusterId'>[];
  };
}

/** One other node. */
export interface PeerEncryption {
  readonly name: string;
  readonly tx: WireGuardDevice | 'closed';
  readonly epoch: Epoch | null;
  readonly handshakeAgeSeconds: number | null;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Its session has a preshared key. */
  readonly pq: boolean;
  /** Why none could be agreed on when that was last tried. */
  readonly pqProblem?: string;
  readonly state: PeerEncryptionState;
}

/** What a status is made of. */
export interface EncryptionFacts {
  readonly node: string;
  readonly strict: boolean;
  readonly encryptNode: boolean;
  readonly implementation: 'kernel' | 'wireguard-go' | '';
  readonly problem: string | undefined;
  readonly exempt: EncryptionStatus['exempt'];
  /** By epoch, public. */
  readonly keys: ReadonlyMap<Epoch, string>;
  readonly past: readonly PastKey[];
  readonly rotation: RotationFigures;
  readonly devices: Readonly<Record<WireGuardDevice, WireGuardDeviceState | undefined>>;
  readonly peers: readonly PeerView[];
  /** Whether nothing is to be sent to a node. */
  isExcluded(name: string): boolean;
  readonly preshared: {
    readonly mode: PresharedMode;
    agreed(epoch: Epoch, publicKey: string): boolean;
    failureOf(peer: string): string | undefined;
  };
  readonly target: MeshTarget;
  readonly targets: readonly WireGuardTargetRow[];
  /** Seconds since 1970. */
  readonly now: number;
}

/** The status of a node without encryption. */
export const NO_ENCRYPTION: Omit<EncryptionStatus, 'node'> = {
  enabled: false,
  strict: false,
  encryptNode: false,
  pq: 'off',
  implementation: '',
  exempt: [],
  devices: [],
  keys: [],
  rotation: { lastSeconds: null, oldEpochPackets: 0 },
  peers: [],
  mesh: { target: 0, targetSince: '', nodes: 0, atTarget: 0, laggards: [], withoutKeys: [], blockedBy: [], clusters: [] },
};

/** Puts a node's status together. */
export function encryptionStatus(facts: EncryptionFacts): EncryptionStatus {
  const { targets } = facts;
  const problem = facts.problem ?? ignoredText(facts.node.slice(0, facts.node.indexOf('/')), facts.target);
  const { epoch: target } = facts.target;
  return {
    enabled: true,
    node: facts.node,
    strict: facts.strict,
    encryptNode: facts.encryptNode,
    pq: facts.preshared.mode,
    implementation: facts.implementation,
    ...(problem === undefined ? {} : { problem }),
    exempt: facts.exempt,
    devices: (['even', 'odd'] as const).map((device) => deviceStatus(facts, device)),
    keys: facts.past,
    rotation: { lastSeconds: facts.rotation.lastSeconds ?? null, oldEpochPackets: facts.rotation.oldEpochPackets },
    peers: facts.peers.map((peer) => peerStatus(facts, peer)).sort((a, b) => (a.name < b.name ? -1 : 1)),
    mesh: {
      target,
      targetSince:
        targets
          .filter((each) => each.target === target)
          .map(({ startedAt }) => startedAt)
          .sort()[0] ?? '',
      ...meshStatus(facts),
      clusters: targets.map(({ clusterId: _, ...row }) => row),
    },
  };
}

/** Somebody wrote what cannot be meant. It holds nobody up, but wants to be mended. */
function ignoredText(own: string, { epoch, ignored: [first] }: MeshTarget): string | undefined {
  if (first === undefined) return undefined;
  const what = `cluster ${first.cluster} wants epoch ${first.target}, too far ahead of ${epoch}, and is not listened to`;
  return first.cluster === own ? `${what}: delete its target` : `${what}: connect the clusters again to meet there`;
}

function meshStatus({ node, keys, peers, isExcluded, target: { epoch: target } }: EncryptionFacts) {
  const others = peers.filter(({ name, withoutEpochs }) => !withoutEpochs && !isExcluded(name));
  const newest: [string, Epoch][] = [
    [node, Math.max(0, ...keys.keys())],
    ...others.map(({ name, record }): [string, Epoch] => [name, Math.max(0, ...(record?.epochs ?? []).map(({ epoch }) => epoch))]),
  ];
  const publishing = newest.filter(([, epoch]) => epoch > 0);
  return {
    nodes: publishing.length,
    atTarget: publishing.filter(([, epoch]) => epoch >= target).length,
    laggards: publishing.filter(([, epoch]) => epoch < target).map(([name]) => name),
    withoutKeys: newest.filter(([, epoch]) => epoch === 0).map(([name]) => name),
    blockedBy: peers.filter(({ withoutEpochs }) => withoutEpochs).map(({ name }) => name),
  };
}

function deviceStatus({ keys, devices, past, now }: EncryptionFacts, device: WireGuardDevice): EncryptionStatus['devices'][number] {
  const publicKey = devices[device]?.publicKey;
  const epoch = [...keys].find(([, key]) => key === publicKey)?.[0];
  const fingerprint = publicKey === undefined ? '' : fingerprintOf(publicKey);
  const key = past.find((each) => each.goneAt === null && each.fingerprint === fingerprint);
  const keyAgeSeconds = key === undefined ? null : Math.max(0, Math.round(now - Date.parse(key.madeAt) / 1000));
  return { name: WIREGUARD_NAMES[device], device, port: WIREGUARD_PORTS[device], epoch: epoch ?? null, keyAgeSeconds, fingerprint };
}

function peerStatus(facts: EncryptionFacts, { name, record, tx }: PeerView): PeerEncryption {
  const states = (record?.epochs ?? []).flatMap(({ epoch, publicKey }) => {
    const found = facts.devices[deviceOf(epoch)]?.peers.find((each) => each.publicKey === publicKey);
    return found === undefined ? [] : [{ epoch, ...found }];
  });
  const used = states.find(({ epoch }) => deviceOf(epoch) === tx);
  const pqProblem = facts.preshared.failureOf(name);
  return {
    name,
    tx,
    epoch: used?.epoch ?? null,
    handshakeAgeSeconds:
      used === undefined || used.latestHandshake === 0 ? null : Math.max(0, Math.round(facts.now - used.latestHandshake)),
    receivedBytes: sum(states, ({ received }) => received),
    sentBytes: sum(states, ({ sent }) => sent),
    pq: used?.hasPresharedKey ?? false,
    ...(pqProblem === undefined ? {} : { pqProblem }),
    state: facts.isExcluded(name) ? 'excluded' : stateOf(facts, record, tx),
  };
}

function stateOf({ keys, preshared }: EncryptionFacts, record: PeerView['record'], tx: PeerView['tx']): PeerEncryptionState {
  if (tx !== 'closed') return 'encrypted';
  if (record === undefined || record.epochs.length === 0) return 'no-keys';
  const common = record.epochs.filter(({ epoch }) => keys.has(epoch));
  if (common.length === 0) return 'closed';
  const lacks = preshared.mode === 'required' && !common.some(({ epoch, publicKey }) => preshared.agreed(epoch, publicKey));
  return lacks ? 'preshared-key' : 'handshake';
}

function sum(states: readonly WireGuardPeerState[], of: (state: WireGuardPeerState) => number): number {
  return states.reduce((total, state) => total + of(state), 0);
}
