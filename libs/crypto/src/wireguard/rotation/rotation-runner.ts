import type { Clock } from '@isthmus/core';
import type { RandomBytes } from '../../token/token-ledger.ts';
import { type Epoch, WIREGUARD_DEVICES, type WireGuardDevice } from '../epoch.ts';
import { WireGuardKey } from '../wireguard-key.ts';
import type { WireGuardPort } from '../wireguard-port.ts';
import { Rotation, type RotationTimes } from './rotation.ts';
import type { RotationAction } from './rotation-action.ts';
import type { DeviceView, PeerView } from './rotation-view.ts';
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
  target(): Epoch;
  /** What the store has of this node. */
  published(): WireGuardRecord | undefined;
  publish(record: WireGuardRecord): Promise<void>;
  /** All other nodes, and what the datapath sends to each by. */
  peers(): readonly PeerView[];
  placeOf(peer: string): PeerPlace | undefined;
  send(peer: string, device: WireGuardDevice): Promise<void>;
  close(peer: string): Promise<void>;
}

type PeerKey = { readonly device: WireGuardDevice; readonly publicKey: string };

const NOTHING: DeviceView = { publicKey: undefined, peers: new Map() };
const KEEPALIVE_S = 1;

/** Looks how things are, and does what {@link Rotation} says: its hands. Nothing of it must be kept for the next one. */
export class RotationRunner {
  readonly #options: RotationRunnerOptions;
  readonly #rotation: Rotation;

  constructor(options: RotationRunnerOptions) {
    this.#options = options;
    this.#rotation = new Rotation(options.times);
  }

  /** One look, and all that follows from it. One at a time. @returns what was done @throws what the first action that fails throws */
  async step(): Promise<readonly RotationAction[]> {
    const { name, target, published, peers, clock } = this.#options;
    const { keys } = await this.#options.keys.load();
    try {
      const devices = { even: await this.#device('even'), odd: await this.#device('odd') };
      const publicKeys = new Map([...keys].map(([epoch, { publicKey }]) => [epoch, publicKey]));
      const view = { name, target: target(), keys: publicKeys, devices, published: published(), peers: peers() };
      const actions = this.#rotation.step(view, clock.now());
      for (const action of actions) await this.#act(action, view.peers);
      return actions;
    } finally {
      for (const key of keys.values()) key.wipe();
    }
  }

  async #device(device: WireGuardDevice): Promise<DeviceView> {
    const state = await this.#options.wireguard.show(this.#options.devices[device]);
    if (state === undefined) return NOTHING;
    const peers = state.peers.map(({ publicKey, latestHandshake, keepaliveSeconds }) => {
      return [publicKey, { confirmed: latestHandshake > 0, asks: keepaliveSeconds > 0 }] as const;
    });
    return { publicKey: state.publicKey, peers: new Map(peers) };
  }

  async #act(action: RotationAction, peers: readonly PeerView[]): Promise<void> {
    const { keys, publish, send, close } = this.#options;
    switch (action.do) {
      case 'make-key':
        return this.#makeKey(action.epoch);
      case 'set-up':
        return this.#setUp(action.device, action.epoch);
      case 'publish':
        return publish(action.record);
      case 'install':
        return this.#put(action.device, action.peer, action.publicKey, action.begins ? KEEPALIVE_S : 0);
      case 'kick':
        await this.#keepalive(action, peers, 0);
        return this.#keepalive(action, peers, KEEPALIVE_S);
      case 'quiet':
        return this.#keepalive(action, peers, 0);
      case 'send':
        return send(action.peer, action.device);
      case 'close':
        return close(action.peer);
      case 'remove':
        return this.#options.wireguard.removePeers(this.#options.devices[action.device], [action.publicKey]);
      case 'wipe':
        await this.#options.wireguard.clear(this.#options.devices[action.device]);
        return keys.remove(action.epoch);
    }
  }

  async #makeKey(epoch: Epoch): Promise<void> {
    const key = WireGuardKey.generate(this.#options.random);
    await this.#options.keys.save(epoch, key);
    key.wipe();
  }

  async #setUp(device: WireGuardDevice, epoch: Epoch): Promise<void> {
    const { keys, wireguard, devices, mark, ensureDevice } = this.#options;
    await ensureDevice(device);
    await wireguard.setUp(devices[device], { privateKeyFile: keys.file(epoch), listenPort: WIREGUARD_DEVICES[device].port, mark });
  }

  async #put(device: WireGuardDevice, peer: string, publicKey: string, keepaliveSeconds: number): Promise<void> {
    const place = this.#options.placeOf(peer);
    if (place === undefined) return; // It is gone since.
    const endpoint = { address: place.address, port: WIREGUARD_DEVICES[device].port };
    await this.#options.wireguard.putPeers(this.#options.devices[device], [
      { publicKey, endpoint, allowedIps: place.allowedIps, keepaliveSeconds },
    ]);
  }

  /** A keepalive that is turned on is sent at once, and needs a session. */
  async #keepalive({ device, publicKey }: PeerKey, peers: readonly PeerView[], seconds: number): Promise<void> {
    const peer = peers.find(({ record }) => record?.epochs.some((each) => each.publicKey === publicKey));
    if (peer !== undefined) await this.#put(device, peer.name, publicKey, seconds);
  }
}
