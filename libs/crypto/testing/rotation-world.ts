import type { Random } from '@isthmus/core';
import { deviceOf, type Epoch } from '../src/wireguard/epoch.ts';
import { Rotation } from '../src/wireguard/rotation/rotation.ts';
import type { RotationAction } from '../src/wireguard/rotation/rotation-action.ts';
import type { PeerView, RotationView } from '../src/wireguard/rotation/rotation-view.ts';
import { recordWithoutEpochs, type WireGuardRecord } from '../src/wireguard/rotation/wireguard-record.ts';
import { WorldNode } from './world-node.ts';
import { WorldExchanges, WorldSecrets } from './world-secrets.ts';
import { WorldWire } from './world-wire.ts';

/** How the world is. Times in milliseconds. */
export interface WorldOptions {
  readonly random: Random;
  /** Longest time until a node sees what another one has published. */
  readonly storeDelayMs: number;
  /** How often an agent is killed in the middle of what it does, of all its actions. Its devices go on; it is back within {@link AWAY_MS}. */
  readonly crashes: number;
  /** How often an action fails, and changes nothing. */
  readonly failures: number;
  /** Longest time between two times that an agent decides. */
  readonly paceMs: number;
  readonly drainMs: number;
  readonly maxOverlapMs: number;
  /** Preshared keys, by a node's index; off unless given. */
  readonly preshared?: (index: number) => WorldSecrets['mode'];
  /** Whether a message of an exchange of preshared keys is lost; none is unless given. */
  readonly loses?: (message: 'request' | 'answer') => boolean;
}

/** Longest that an agent which was killed is not there. */
const AWAY_MS = 8_000;
/** Laggards that a record may name. */
const MAX_LAGGARDS = 16;

/** Nodes of a mesh in time that is only counted: what they publish takes its time to each other, and packets are looked at. */
export class RotationWorld {
  readonly nodes: WorldNode[];
  target: Epoch = 0;
  /** Targets of clusters that are by themselves: their nodes know no others. */
  readonly apart = new Map<string, Epoch>();
  now = 0;
  /** What went wrong: packets that nobody could read, keys that were published before anybody listened. */
  readonly wrong: string[] = [];
  /** Pairs that were closed after they had been open. */
  closed = 0;
  readonly #options: WorldOptions;
  readonly #names = new Map<string, WorldNode>();
  readonly #exchanges: WorldExchanges;
  readonly #wire: WorldWire;
  #serial = 0;

  /** @param counts nodes of each cluster */
  constructor(counts: Readonly<Record<string, number>>, options: WorldOptions) {
    this.#options = options;
    this.#wire = new WorldWire(this.#names, options.random, this.wrong);
    this.#exchanges = new WorldExchanges(options.random, options.loses ?? (() => false));
    let index = 0;
    const secrets = (): WorldSecrets => new WorldSecrets(options.preshared?.(index++) ?? 'off');
    this.nodes = Object.entries(counts).flatMap(([cluster, count]) =>
      Array.from({ length: count }, (_, i) => new WorldNode(`${cluster}/n${String(i).padStart(4, '0')}`, this.#rotation(), secrets())),
    );
    for (const node of this.nodes) this.#names.set(node.name, node);
  }

  /** Lets time pass, in steps. */
  pass(ms: number, stepMs = 50): void {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.now += stepMs;
      for (const node of this.nodes) if (!node.isDown && this.now >= node.decides) this.#turn(node);
      this.#exchanges.run(this.now);
      this.#wire.pass(this.nodes, this.now);
    }
  }

  /** Lets time pass until something is so. @returns how long that took; undefined: it never was */
  until(isSo: () => boolean, maxMs: number, stepMs = 50): number | undefined {
    const began = this.now;
    while (!isSo()) {
      if (this.now - began >= maxMs) return undefined;
      this.pass(stepMs, stepMs);
    }
    return this.now - began;
  }

  /** Adds a node that knows of no epochs. */
  addWithoutEpochs(name: string): WorldNode {
    const node = new WorldNode(name, this.#rotation(), new WorldSecrets('off'));
    node.withoutEpochs = true;
    node.devices.even.publicKey = `${name}#key`;
    this.nodes.push(node);
    this.#names.set(name, node);
    return node;
  }

  /** Lets a node go: nobody hears of it any more. */
  remove(node: WorldNode): void {
    node.isDown = true;
    this.nodes.splice(this.nodes.indexOf(node), 1);
  }

  /** Whether these nodes send to each other by an epoch, and have no other key, nor any of somebody who has none. */
  isSettled(nodes: readonly WorldNode[] = this.nodes, epoch = this.target): boolean {
    const keys = new Set(nodes.map((node) => node.keys.get(epoch)));
    const isClean = (node: WorldNode): boolean => {
      const { peers } = node.devices[deviceOf(epoch)];
      return [...node.keys.keys()].join() === `${epoch}` && peers.size === keys.size - 1 && [...peers.keys()].every((key) => keys.has(key));
    };
    return this.isSwitched(nodes, epoch) && nodes.every(isClean);
  }

  /** Whether these nodes send to each other by an epoch. */
  isSwitched(nodes: readonly WorldNode[] = this.nodes, epoch = this.target): boolean {
    const device = deviceOf(epoch);
    return nodes.every((node) => node.keys.has(epoch) && nodes.every((peer) => peer === node || node.tx.get(peer.name) === device));
  }

  #rotation(): Rotation {
    return new Rotation({ drainMs: this.#options.drainMs, maxOverlapMs: this.#options.maxOverlapMs });
  }

  #turn(node: WorldNode): void {
    node.decides = this.now + this.#options.paceMs * this.#options.random();
    if (node.withoutEpochs) this.#adoptAnnounced(node);
    else this.#decide(node);
    const publicKey = [...node.keys].sort(([a], [b]) => (a % 2) - (b % 2) || b - a)[0]?.[1];
    if (publicKey !== undefined && node.announced.at(-1)?.publicKey !== publicKey) node.announced.push({ at: this.now, publicKey });
  }

  /** As Cilium does: a peer has the key that it announces, from when that is heard. Until there is a session WireGuard keeps what is for it. */
  #adoptAnnounced(node: WorldNode): void {
    const { peers } = node.devices.even;
    for (const other of this.nodes) {
      const until = this.now - this.#options.storeDelayMs * spreadOf(node, other);
      const publicKey = other.announced.findLast(({ at }) => at <= until)?.publicKey;
      if (publicKey === undefined) continue;
      if (peers.get(publicKey)?.confirmed) node.tx.set(other.name, 'even');
      if (peers.has(publicKey)) continue;
      for (const key of peers.keys()) if (this.#wire.ownerOf(key) === other) peers.delete(key);
      peers.set(publicKey, { confirmed: false, asks: false, secret: false, psk: undefined, tried: this.now, isBroken: false });
      node.tx.delete(other.name);
    }
  }

  #decide(node: WorldNode): void {
    const { random, crashes, failures } = this.#options;
    for (const action of node.rotation.step(this.#view(node), this.now)) {
      if (random() < crashes) {
        node.crashes++;
        node.rotation = this.#rotation();
        node.decides = this.now + AWAY_MS * random();
        return;
      }
      if (random() >= failures) this.#act(node, action);
    }
  }

  #view(node: WorldNode): RotationView {
    const secrets = node.secrets.view(node.keys);
    return {
      ...(secrets && { secrets }),
      name: node.name,
      target: this.apart.get(clusterOf(node)) ?? this.target,
      keys: new Map(node.keys),
      devices: node.devices,
      published: node.versions.at(-1)?.record,
      peers: this.nodes
        .filter((other) => other !== node && (clusterOf(other) === clusterOf(node) || !this.apart.has(clusterOf(node))))
        .map((other) => this.#peer(node, other)),
    };
  }

  #peer(node: WorldNode, other: WorldNode): PeerView {
    const { name } = other;
    const tx = node.tx.get(name) ?? 'closed';
    if (!other.withoutEpochs) return { name, tx, record: this.#seen(node, other) };
    return { name, tx, record: recordWithoutEpochs(other.devices.even.publicKey!, node.keys.keys()), withoutEpochs: true };
  }

  /** What a node sees of another one's record: each pair has a delay of its own. */
  #seen(node: WorldNode, other: WorldNode): WireGuardRecord | undefined {
    const until = this.now - this.#options.storeDelayMs * spreadOf(node, other);
    return other.versions.findLast(({ at }) => at <= until)?.record;
  }

  #act(node: WorldNode, action: RotationAction): void {
    switch (action.do) {
      case 'make-key':
        node.secrets.drop(action.epoch);
        node.keys.set(action.epoch, `${node.name}#${action.epoch}#${this.#serial++}`);
        return;
      case 'set-up':
        node.devices[action.device].publicKey = node.keys.get(action.epoch);
        return;
      case 'publish':
        this.#publish(node, action.record);
        return;
      case 'agree':
        this.#agree(node, action);
        return;
      case 'install':
      case 'kick':
      case 'quiet':
        this.#put(node, action);
        return;
      case 'send':
        node.tx.set(action.peer, action.device);
        return;
      case 'close':
        this.closed++;
        node.tx.delete(action.peer);
        return;
      case 'remove':
        node.devices[action.device].peers.delete(action.publicKey);
        return;
      case 'wipe':
        node.secrets.drop(action.epoch);
        node.keys.delete(action.epoch);
        node.devices[action.device].publicKey = undefined;
        node.devices[action.device].peers.clear();
        return;
    }
  }

  #agree(node: WorldNode, action: Extract<RotationAction, { do: 'agree' }>): void {
    const { rotation } = node;
    const to = this.#names.get(action.peer)!;
    const key = node.keys.get(action.epoch)!;
    this.#exchanges.ask(node, to, action, this.now, {
      isSameAgent: () => node.rotation === rotation,
      isInstalled: () => to.devices[deviceOf(action.epoch)].peers.has(key),
    });
  }

  /** Sessions stay, whatever is changed of a peer. */
  #put(node: WorldNode, action: Extract<RotationAction, { do: 'install' | 'kick' | 'quiet' }>): void {
    const { peers, publicKey } = node.devices[action.device];
    const epoch = [...node.keys].find(([, key]) => key === publicKey)?.[0] ?? 0;
    const psk = node.secrets.get(epoch, action.publicKey);
    const before = peers.get(action.publicKey);
    const asks = action.do === 'install' ? action.begins : action.do === 'kick';
    peers.set(action.publicKey, {
      confirmed: before?.confirmed ?? false,
      isBroken: before?.isBroken ?? false,
      asks,
      secret: psk !== undefined,
      psk,
      tried: asks ? this.now : (before?.tried ?? Number.NaN),
    });
  }

  #publish(node: WorldNode, record: WireGuardRecord): void {
    if (node.isCut) return;
    for (const { epoch, publicKey } of record.epochs)
      if (node.devices[deviceOf(epoch)].publicKey !== publicKey) this.wrong.push(`${node.name} publishes ${publicKey} and does not listen`);
    if (record.laggards.length > MAX_LAGGARDS) this.wrong.push(`${node.name} names ${record.laggards.length} laggards`);
    if (record.epochs.length > 2) this.wrong.push(`${node.name} has ${record.epochs.length} live epochs`);
    node.versions.push({ at: this.now, record });
  }
}

/** Each two have a delay of their own: its share of the longest. */
function spreadOf(node: WorldNode, other: WorldNode): number {
  return ((node.name.charCodeAt(node.name.length - 1) * 7 + other.name.charCodeAt(other.name.length - 1) * 13) % 10) / 10;
}

function clusterOf({ name }: WorldNode): string {
  return name.split('/')[0]!;
}
