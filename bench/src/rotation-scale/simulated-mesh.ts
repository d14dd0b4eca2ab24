import { type Cancel, type Random, seededRandom } from '@isthmus/core';
import { type Epoch, lookPace, type PairAnswer, type PairRequest, type WireGuardDevice } from '@isthmus/crypto';
import type { WireGuardRow } from '@isthmus/model';
import { RecordLog } from './record-log.ts';
import { SimulatedNode } from './simulated-node.ts';
import { type RaisedTarget, SimulatedOperator } from './simulated-operator.ts';

/** Virtual milliseconds between two moments at which something happens. */
const TICK_MS = 10;
/** Longest time until a node sees what was written. */
const STORE_DELAY_MS = 200;
/** Longest time that a handshake takes. */
const HANDSHAKE_MS = 100;
/** What a look takes: the programs that it runs. */
const LOOK_MS = 20;
/** Nodes have not begun at once. */
const START_MS = 1_000;
const TIMES = { drainMs: 3_000, maxOverlapMs: 3_600_000 } as const;
const CLUSTERS = 4;
/** Who has something to say has said it after so long. */
const QUIET_MS = 10_000;
/** A rotation that takes longer does not come to an end. */
const MAX_MS = 600_000;

interface Cluster {
  readonly name: string;
  readonly id: number;
  readonly operator: SimulatedOperator;
  readonly delayMs: number;
}

interface Member {
  readonly node: SimulatedNode;
  readonly delayMs: number;
  /** When it looks again, if nothing happens before. */
  looks: number;
  /** It cannot look before: it is busy. */
  free: number;
}

/** What one rotation came to. Times in virtual milliseconds after it was asked for. */
export interface RotationFacts {
  readonly switchedMs: number;
  readonly wipedMs: number;
  readonly looks: number;
  readonly writes: number;
  readonly bytes: number;
  /** Processor milliseconds that decoding what was read took. */
  readonly decodingMs: number;
}

/** All nodes of a mesh, in time that is only counted. */
export class SimulatedMesh {
  readonly #members: Member[];
  readonly #memberOf: ReadonlyMap<string, Member>;
  readonly #clusters: Cluster[];
  readonly #log = new RecordLog();
  readonly #random: Random;
  /** Nodes by their public keys. */
  readonly #owners = new Map<string, SimulatedNode>();
  /** What is due, by moments. */
  readonly #due = new Map<number, Set<() => void>>();
  #now = 0;
  #target: Epoch = 0;
  #looks = 0;

  constructor(nodes: number, seed: number) {
    this.#random = seededRandom(seed);
    const names = Array.from({ length: nodes }, (_, i) => ({ cluster: 1 + (i % CLUSTERS), node: `n${String(i).padStart(4, '0')}` }));
    const places = new Map(names.map(({ cluster, node }, i) => [`c${cluster}/${node}`, placeOf(i)]));
    const around = {
      times: TIMES,
      clock: { now: () => this.#now, after: (ms: number, fn: () => void) => this.#after(ms, fn) },
      places,
      random: (length: number) => this.#secret(length),
      publish: (row: WireGuardRow) => this.#publish(row),
      ask: (peer: string, request: PairRequest) => this.#ask(peer, request),
      wake: (node: SimulatedNode) => this.#wake(node.name),
      begins: (node: SimulatedNode, device: WireGuardDevice, keys: readonly string[]) => this.#shakeHands(node, device, keys),
    };
    this.#members = names.map(({ cluster, node }) => ({
      node: new SimulatedNode({ name: `c${cluster}`, id: cluster }, node, around),
      delayMs: STORE_DELAY_MS * this.#random(),
      looks: START_MS * this.#random(),
      free: 0,
    }));
    this.#memberOf = new Map(this.#members.map((member) => [member.node.name, member]));
    this.#clusters = Array.from({ length: CLUSTERS }, (_, i) => {
      const name = `c${i + 1}`;
      const nodes = this.#members.map(({ node }) => node.name).filter((node) => node.startsWith(`${name}/`));
      return { name, id: i + 1, operator: new SimulatedOperator(name, nodes), delayMs: STORE_DELAY_MS * this.#random() };
    });
  }

  /** Has one cluster ask for the next epoch, which the others follow. @param atSwitch called when all pairs are switched, and nothing is wiped yet */
  async rotate(atSwitch: () => void = () => undefined): Promise<RotationFacts> {
    const [began, before] = [this.#now, this.#counts()];
    const epoch = ++this.#target;
    this.#raise(this.#clusters[0]!, { target: epoch, by: 'operator', reason: 'schedule' });
    const peers = this.#members.length - 1;
    await this.#until(() => this.#members.every(({ node }) => node.sendsBy(epoch, peers)));
    const switchedMs = this.#now - began;
    atSwitch();
    await this.#until(() => this.#members.every(({ node }) => node.hasOnly(epoch)));
    this.#check();
    const after = this.#counts();
    return {
      switchedMs,
      wipedMs: this.#now - began,
      looks: after.looks - before.looks,
      writes: after.writes - before.writes,
      bytes: after.bytes - before.bytes,
      decodingMs: after.decodingMs - before.decodingMs,
    };
  }

  /** Until nobody has anything more to say. */
  async settle(): Promise<void> {
    let writes = -1;
    let since = 0;
    await this.#until(() => {
      if (writes !== this.#log.writes) [writes, since] = [this.#log.writes, this.#now];
      return this.#now - since >= QUIET_MS;
    });
  }

  #counts(): Omit<RotationFacts, 'switchedMs' | 'wipedMs'> {
    const { writes, bytes, decodingMs } = this.#log;
    return { looks: this.#looks, writes, bytes, decodingMs };
  }

  async #until(isSo: () => boolean): Promise<void> {
    const end = this.#now + MAX_MS;
    while (!isSo()) {
      if (this.#now > end) throw new Error(`the rotation to ${this.#target} has not come to an end`);
      await this.#pass();
    }
  }

  async #pass(): Promise<void> {
    this.#now += TICK_MS;
    for (const fn of this.#due.get(this.#now) ?? []) fn();
    this.#due.delete(this.#now);
    for (const cluster of this.#clusters) this.#follow(cluster);
    for (const member of this.#members) {
      const { node } = member;
      const seen = this.#log.read(node.cursor, this.#now - member.delayMs, node);
      if (seen > node.cursor) member.looks = this.#now;
      node.cursor = seen;
      if (this.#now >= member.looks && this.#now >= member.free) await this.#look(member);
    }
  }

  #publish(row: WireGuardRow): void {
    const { node } = this.#memberOf.get(`${row.cluster}/${row.name}`)!;
    for (const { publicKey } of row.epochs) this.#owners.set(publicKey, node);
    this.#log.publish(this.#now, row);
  }

  #raise({ name, id }: Cluster, raised: RaisedTarget): void {
    this.#log.raise(this.#now, { cluster: name, clusterId: id, startedAt: '2026-11-29T00:00:00Z', ...raised });
  }

  /** Operators read what nodes do. */
  #follow(cluster: Cluster): void {
    const { operator, delayMs } = cluster;
    const seen = this.#log.read(operator.cursor, this.#now - delayMs, operator);
    if (seen === operator.cursor) return;
    operator.cursor = seen;
    const raised = operator.step();
    if (raised) this.#raise(cluster, raised);
  }

  async #look(member: Member): Promise<void> {
    this.#looks++;
    const acted = await member.node.look();
    const { restMs, pauseMs } = lookPace({ acted, waits: member.node.isMoving() }, this.#members.length - 1);
    member.free = this.#now + LOOK_MS + restMs;
    member.looks = this.#now + LOOK_MS + pauseMs;
  }

  async #ask(peer: string, request: PairRequest): Promise<PairAnswer> {
    const answer = this.#memberOf.get(peer)!.node.accept(request);
    this.#wake(peer);
    return answer;
  }

  #wake(name: string): void {
    this.#memberOf.get(name)!.looks = this.#now;
  }

  /** An attempt arrives once: if the other side has no such peer then, nothing comes of it. */
  #shakeHands(node: SimulatedNode, device: WireGuardDevice, keys: readonly string[]): void {
    const own = node.wireguard.keyOf(device);
    this.#after(HANDSHAKE_MS * this.#random(), () => {
      for (const key of keys) this.#handshake(node, device, own!, key);
    });
  }

  /** Has something done at the first moment that is no earlier. */
  #after(ms: number, fn: () => void): Cancel {
    const at = this.#now + TICK_MS * Math.max(1, Math.ceil(ms / TICK_MS));
    const others = this.#due.get(at);
    if (others) others.add(fn);
    else this.#due.set(at, new Set([fn]));
    return () => void this.#due.get(at)?.delete(fn);
  }

  #handshake(node: SimulatedNode, device: WireGuardDevice, own: string, key: string): void {
    const other = this.#owners.get(key);
    if (other?.wireguard.keyOf(device) !== key || !other.wireguard.knows(device, own) || !node.wireguard.knows(device, key)) return;
    node.wireguard.confirm(device, key);
    other.wireguard.confirm(device, own);
  }

  #secret(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => 256 * this.#random());
  }

  #check(): void {
    const { dropped } = this.#log;
    if (dropped.length > 0) throw new Error(`records were dropped: ${dropped.slice(0, 3).join('; ')}`);
    const closed = this.#members.reduce((sum, { node }) => sum + node.closed, 0);
    if (closed > 0) throw new Error(`${closed} pairs were closed by a rotation`);
  }
}

function placeOf(i: number): { address: string; allowedIps: string[] } {
  const [high, low] = [i >> 8, i & 255];
  return { address: `172.20.${high}.${low}`, allowedIps: [`10.${high}.${low}.0/24`, `172.20.${high}.${low}/32`] };
}
