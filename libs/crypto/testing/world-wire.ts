import type { Random } from '@isthmus/core';
import type { WireGuardDevice } from '../src/wireguard/epoch.ts';
import type { WorldNode } from './world-node.ts';

interface Packet {
  readonly from: WorldNode;
  readonly to: WorldNode;
  readonly device: WireGuardDevice;
  /** Public keys of both that it was encrypted between. */
  readonly between: readonly [string, string];
  readonly arrives: number;
}

/** What a handshake takes. */
const WAY_MS = 20;
/** Longest that a packet is under way: it waits in queues of machines that are busy. */
const QUEUED_MS = 2_000;

/** What goes between the devices of nodes: handshakes, and packets that are looked at. Times in milliseconds. */
export class WorldWire {
  readonly #names: ReadonlyMap<string, WorldNode>;
  readonly #random: Random;
  readonly #wrong: string[];
  readonly #packets: Packet[] = [];

  /** @param names all nodes @param wrong gets what nobody could read */
  constructor(names: ReadonlyMap<string, WorldNode>, random: Random, wrong: string[]) {
    this.#names = names;
    this.#random = random;
    this.#wrong = wrong;
  }

  /** Does what is due by now, and sends one packet more between each two nodes. */
  pass(nodes: readonly WorldNode[], now: number): void {
    this.#shakeHands(nodes, now);
    this.#sendPackets(nodes, now);
    this.#receivePackets(now);
  }

  /** The node that has a public key. */
  ownerOf(key: string): WorldNode | undefined {
    return this.#names.get(key.split('#')[0]!);
  }

  /**
   * An attempt arrives once: if the other one has no such peer then, nothing comes of it. Two that cross make a session that is none, as wireguard-go may
   * on a busy machine: of those that know of no epochs it is not known that they do.
   */
  #shakeHands(nodes: readonly WorldNode[], now: number): void {
    for (const node of nodes) {
      for (const name of ['even', 'odd'] as const) {
        const { publicKey, peers } = node.devices[name];
        for (const [key, peer] of peers) {
          if (peer.confirmed || Number.isNaN(peer.tried) || now - peer.tried < WAY_MS) continue;
          const { tried } = peer;
          peer.tried = Number.NaN;
          const other = this.ownerOf(key);
          const back = other?.devices[name].publicKey === key ? other.devices[name].peers.get(publicKey ?? '') : undefined;
          if (node.isDown || other === undefined || other.isDown || back === undefined || back.psk !== peer.psk) continue;
          const cross = Math.abs(back.tried - tried) < WAY_MS && !node.withoutEpochs && !other.withoutEpochs;
          peer.isBroken = back.isBroken = cross;
          peer.confirmed = back.confirmed = true;
        }
      }
    }
  }

  #sendPackets(nodes: readonly WorldNode[], now: number): void {
    for (const from of nodes) {
      for (const [name, device] of from.tx) {
        const to = this.#names.get(name)!;
        if (from.isDown || to.isDown) continue;
        const own = from.devices[device].publicKey;
        const [theirs, peer] = [...from.devices[device].peers].find(([key]) => this.ownerOf(key) === to) ?? [];
        if (own === undefined || theirs === undefined) this.#wrong.push(`${now}: ${from.name} to ${name} by ${device}: no key`);
        else if (from.secrets.mode === 'required' && !peer?.secret)
          this.#wrong.push(`${now}: ${from.name} to ${name} by ${device}: no preshared key`);
        else this.#packets.push({ from, to, device, between: [own, theirs], arrives: now + QUEUED_MS * this.#random() ** 4 });
      }
    }
  }

  #receivePackets(now: number): void {
    const [here, under] = [this.#packets.filter(({ arrives }) => arrives <= now), this.#packets.filter(({ arrives }) => arrives > now)];
    this.#packets.splice(0, this.#packets.length, ...under);
    for (const { from, to, device, between } of here) {
      const { publicKey, peers } = to.devices[device];
      if (to.isDown) continue;
      const what = `${now}: ${from.name} to ${to.name} by ${device}`;
      if (publicKey !== between[1] || !peers.has(between[0])) this.#wrong.push(`${what}: nobody has ${between.join(' and ')}`);
      else if (peers.get(between[0])!.isBroken) this.#wrong.push(`${what}: they began at once`);
    }
  }
}
