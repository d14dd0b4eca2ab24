import type { Clock } from '@isthmus/core';
import { WIREGUARD_PORTS } from '@isthmus/model';
import type { RandomBytes } from '../../token/token-ledger.ts';
import { deviceOf, type Epoch, type WireGuardDevice } from '../epoch.ts';
import type { PairAgreements } from '../preshared/pair-agreements.ts';
import type { PairSecrets } from '../preshared/pair-secrets.ts';
import { WireGuardKey } from '../wireguard-key.ts';
import type { WireGuardDeviceState, WireGuardKeepalive, WireGuardPeer, WireGuardPeerState, WireGuardPort } from '../wireguard-port.ts';
import { Rotation, type RotationTimes } from './rotation.ts';
import type { RotationAction } from './rotation-action.ts';
import type { DeviceView, InstalledPeer, PeerView, RotationView } from './rotation-view.ts';
import type { WireGuardRecord } from './wireguard-record.ts';

/** Keys on disk. */
export interface KeyStore {
  load(): Promise<{ readonly keys: ReadonlyMap<Epoch, WireGuardKey> }>;
  save(epoch: Epoch, key: WireGuardKey): Promise<void>;
  remove(epoch: Epoch): Promise<void>;
  file(epoch: Epoch): string;
}

/** Where another node is: the address that it listens at, and what is behind it. */
export interface PeerPlace {
  readonly address: string;
  /** Networks, canonical text. */
  readonly allowedIps: readonly string[];
}

/** What a {@link RotationRunner} works with. */
export interface RotationRunnerOptions {
  /** `<cluster>/<node>` */
  readonly name: string;
  readonly times: RotationTimes;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: RandomBytes;
  readonly keys: KeyStore;
  readonly wireguard: WireGuardPort;
  readonly devices: Readonly<Record<WireGuardDevice, string>>;
  /** Mark of what the devices send. */
  readonly mark: number;
  /** Sees to it that a device is there. */
  ensureDevice(device: WireGuardDevice): Promise<void>;
  /** Told when a device has got its key and its port. */
  opened?(device: WireGuardDevice): void;
  target(): Epoch;
  /** What the store has of this node. */
  published(): WireGuardRecord | undefined;
  publish(record: WireGuardRecord): Promise<void>;
  /** All other nodes, and what the datapath sends to each by. */
  peers(): readonly PeerView[];
  placeOf(peer: string): PeerPlace | undefined;
  send(peer: string, device: WireGuardDevice): Promise<void>;
  close(peer: string): Promise<void>;
  /** Preshared keys, if any are used. */
  readonly preshared?: PresharedKeys;
}

/** Preshared keys as a {@link RotationRunner} uses them. */
export interface PresharedKeys {
  readonly secrets: PairSecrets;
  /** Undefined: no new ones are agreed on. */
  readonly agreements: Pick<PairAgreements, 'begin'> | undefined;
  readonly required: boolean;
}

type Batch<A extends RotationAction = RotationAction> = readonly [A, ...A[]];
type Keyed = Extract<RotationAction, { readonly do: 'kick' | 'quiet' }>;

/** A peer as a device is to have it. */
interface Wanted {
  readonly peer: string;
  readonly publicKey: string;
  readonly keepalive: boolean;
}

const KEEPALIVE_S = 1;

/** Looks how things are, and does what {@link Rotation} says: its hands. Nothing of it must be kept for the next one. */
export class RotationRunner {
  readonly #options: RotationRunnerOptions;
  readonly #rotation: Rotation;
  #keys: ReadonlyMap<Epoch, string> = new Map();
  /** Keys of peers that were given to devices in this look. */
  readonly #put = new Set<string>();
  #seen: Readonly<Record<WireGuardDevice, WireGuardDeviceState | undefined>> = { even: undefined, odd: undefined };

  constructor(options: RotationRunnerOptions) {
    this.#options = options;
    this.#rotation = new Rotation(options.times);
  }

  /** The devices as they were at the last look. */
  get seen(): Readonly<Record<WireGuardDevice, WireGuardDeviceState | undefined>> {
    return this.#seen;
  }

  /** Whether the device of an epoch has a peer's key by now. */
  has(epoch: Epoch, publicKey: string): boolean {
    const isSeen = this.#seen[deviceOf(epoch)]?.peers.some((each) => each.publicKey === publicKey);
    return isSeen === true || this.#put.has(publicKey);
  }

  /** One look, and all that follows from it. One at a time. @returns what was done @throws what the first action that fails throws */
  async step(): Promise<readonly RotationAction[]> {
    const { name, target, published, peers, clock } = this.#options;
    const { keys } = await this.#options.keys.load();
    try {
      const states = { even: await this.#show('even'), odd: await this.#show('odd') };
      this.#seen = states;
      this.#put.clear();
      const devices = { even: viewOf(states.even), odd: viewOf(states.odd) };
      const publicKeys = new Map([...keys].map(([epoch, { publicKey }]) => [epoch, publicKey]));
      await this.#options.preshared?.secrets.keep([...keys.keys()]);
      const secrets = secretsOf(this.#options.preshared);
      const view = { name, target: target(), keys: publicKeys, devices, published: published(), peers: peers(), ...secrets };
      this.#keys = publicKeys;
      for (const device of ['even', 'odd'] as const) await this.#moveNetworks(device, devices[device].peers, view.peers);
      const actions = this.#rotation.step(view, clock.now());
      for (const some of batches(actions)) await this.#act(some);
      return actions;
    } finally {
      for (const key of keys.values()) key.wipe();
    }
  }

  #show(device: WireGuardDevice): Promise<WireGuardDeviceState | undefined> {
    return this.#options.wireguard.show(this.#options.devices[device]);
  }

  /** Gives peers the networks that they have now: a node may get some after it was installed. */
  async #moveNetworks(device: WireGuardDevice, has: ReadonlyMap<string, SeenPeer>, peers: readonly PeerView[]): Promise<void> {
    const moved: Wanted[] = [];
    for (const { name, record } of peers)
      for (const { epoch, publicKey } of record?.epochs ?? []) {
        const state = deviceOf(epoch) === device ? has.get(publicKey)?.state : undefined;
        const place = state && this.#options.placeOf(name);
        if (state === undefined || place === undefined || isSame(place.allowedIps, state.allowedIps)) continue;
        moved.push({ peer: name, publicKey, keepalive: state.keepaliveSeconds > 0 });
      }
    await this.#putPeers(device, moved);
  }

  /** @param some actions of one kind, on one device where they are on any; or a single one */
  async #act(some: Batch): Promise<void> {
    const { keys, publish, send, close, devices, wireguard } = this.#options;
    const [action] = some;
    switch (action.do) {
      case 'make-key':
        return this.#makeKey(action.epoch);
      case 'set-up':
        return this.#setUp(action.device, action.epoch);
      case 'publish':
        return publish(action.record);
      case 'agree':
        return this.#agree(action);
      case 'install':
        return this.#putPeers(
          action.device,
          (some as Batch<typeof action>).map((each) => ({ ...each, keepalive: each.begins })),
        );
      case 'kick':
        await this.#keepalive(some as Batch<typeof action>, false);
        return this.#keepalive(some as Batch<typeof action>, true);
      case 'quiet':
        return this.#keepalive(some as Batch<typeof action>, false);
      case 'send':
        return together((some as Batch<typeof action>).map(({ peer, device }) => send(peer, device)));
      case 'close':
        return together((some as Batch<typeof action>).map(({ peer }) => close(peer)));
      case 'remove':
        return wireguard.removePeers(
          devices[action.device],
          (some as Batch<typeof action>).map(({ publicKey }) => publicKey),
        );
      case 'wipe':
        await wireguard.clear(devices[action.device]);
        return keys.remove(action.epoch);
    }
  }

  #agree({ epoch, peer, publicKey }: Extract<RotationAction, { readonly do: 'agree' }>): void {
    const ownKey = this.#keys.get(epoch);
    if (ownKey !== undefined) this.#options.preshared?.agreements?.begin({ epoch, ownKey, peerKey: publicKey, peer });
  }

  async #makeKey(epoch: Epoch): Promise<void> {
    // What was agreed on with another key of the epoch is of no use.
    await this.#options.preshared?.secrets.drop(epoch);
    const key = WireGuardKey.generate(this.#options.random);
    await this.#options.keys.save(epoch, key);
    key.wipe();
  }

  async #setUp(device: WireGuardDevice, epoch: Epoch): Promise<void> {
    const { keys, wireguard, devices, mark, ensureDevice } = this.#options;
    await ensureDevice(device);
    await wireguard.setUp(devices[device], { privateKeyFile: keys.file(epoch), listenPort: WIREGUARD_PORTS[device], mark });
    this.#options.opened?.(device);
  }

  async #putPeers(device: WireGuardDevice, some: readonly Wanted[]): Promise<void> {
    const port = WIREGUARD_PORTS[device];
    const peers = some.flatMap(({ peer, publicKey, keepalive }): WireGuardPeer[] => {
      const place = this.#options.placeOf(peer);
      if (place === undefined) return []; // It is gone since.
      const { address, allowedIps } = place;
      const keepaliveSeconds = keepalive ? KEEPALIVE_S : 0;
      return [{ publicKey, endpoint: { address, port }, allowedIps, keepaliveSeconds, ...this.#presharedKey(device, publicKey) }];
    });
    if (peers.length === 0) return;
    await this.#options.wireguard.putPeers(this.#options.devices[device], peers);
    for (const { publicKey } of peers) this.#put.add(publicKey);
  }

  #presharedKey(device: WireGuardDevice, publicKey: string): Pick<WireGuardPeer, 'presharedKeyFile'> {
    const epoch = [...this.#keys.keys()].find((each) => deviceOf(each) === device);
    const presharedKeyFile = epoch === undefined ? undefined : this.#options.preshared?.secrets.file(epoch, publicKey);
    return presharedKeyFile === undefined ? {} : { presharedKeyFile };
  }

  /**
   * A keepalive that is turned on is sent at once, and needs a session, which is made with the preshared key that is agreed on by now. Of its networks
   * nothing is said again: packets may be under way with it already.
   */
  async #keepalive(some: Batch<Keyed>, keepalive: boolean): Promise<void> {
    const peers = some.map(({ device, publicKey }): WireGuardKeepalive => {
      return { publicKey, keepaliveSeconds: keepalive ? KEEPALIVE_S : 0, ...(keepalive ? this.#presharedKey(device, publicKey) : {}) };
    });
    await this.#options.wireguard.setKeepalive(this.#options.devices[some[0].device], peers);
  }
}

/** A peer of a device, as what is decided by sees it. */
class SeenPeer implements InstalledPeer {
  readonly state: WireGuardPeerState;

  constructor(state: WireGuardPeerState) {
    this.state = state;
  }

  get confirmed(): boolean {
    return this.state.latestHandshake > 0;
  }

  get asks(): boolean {
    return this.state.keepaliveSeconds > 0;
  }

  get secret(): boolean {
    return this.state.hasPresharedKey;
  }
}

/** A device, as what is decided by sees it. */
interface SeenDevice extends DeviceView {
  readonly peers: ReadonlyMap<string, SeenPeer>;
}

function viewOf(state: WireGuardDeviceState | undefined): SeenDevice {
  const peers = new Map<string, SeenPeer>();
  for (const peer of state?.peers ?? []) peers.set(peer.publicKey, new SeenPeer(peer));
  return { publicKey: state?.publicKey, peers };
}

/** Where no new ones are agreed on nobody waits for any, unless they are required. */
function secretsOf(preshared: PresharedKeys | undefined): Pick<RotationView, 'secrets'> {
  if (preshared === undefined || (preshared.agreements === undefined && !preshared.required)) return {};
  const { secrets, required } = preshared;
  return {
    secrets: {
      required,
      kemKeyHashes: secrets.kemKeyHashes(),
      agreed: (epoch, publicKey) => secrets.agreed(epoch, publicKey),
    },
  };
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  if (some.length === others.length && some.every((each, i) => each === others[i])) return true;
  const set = new Set(others);
  return some.length === set.size && some.every((each) => set.has(each));
}

/** What follows each other and is the same for different peers of one device goes together: a call for each would take a large mesh seconds. */
function* batches(actions: readonly RotationAction[]): Generator<Batch> {
  let some: RotationAction[] = [];
  for (const action of actions) {
    if (some.length > 0 && !goesWith(some[0]!, action)) {
      yield some as unknown as Batch;
      some = [];
    }
    some.push(action);
  }
  if (some.length > 0) yield some as unknown as Batch;
}

function goesWith(one: RotationAction, other: RotationAction): boolean {
  if (one.do === 'send' || one.do === 'close') return one.do === other.do;
  return 'device' in one && 'publicKey' in one && 'publicKey' in other && one.do === other.do && one.device === other.device;
}

/** Ends when all have: nothing of a look goes on into the next one. @throws what the first that fails throws */
async function together(tasks: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(tasks);
  await Promise.all(tasks);
}
