import type { Clock } from '@isthmus/core';
import {
  deviceOf,
  type Epoch,
  hasNewsOfWanted,
  type LiveEpochs,
  type MeshTarget,
  meshTarget,
  PairAgreements,
  type PairAnswer,
  type PairRequest,
  type PeerView,
  RotationRunner,
  type RotationTimes,
  type WireGuardDevice,
  WireGuardKey,
  type WireGuardRecord,
} from '@isthmus/crypto';
import { usableWireGuardRows } from '@isthmus/mesh';
import type { WireGuardRow, WireGuardTargetRow } from '@isthmus/model';
import { MemoryWireGuard } from './memory-wireguard.ts';
import type { RecordSink } from './record-log.ts';
import { SimulatedSecrets } from './simulated-secrets.ts';

/** The names under which a node's devices are known to it: any. */
const DEVICES: Readonly<Record<WireGuardDevice, WireGuardDevice>> = { even: 'even', odd: 'odd' };

/** What a node is part of. */
export interface Surroundings {
  readonly times: RotationTimes;
  readonly clock: Pick<Clock, 'now' | 'after'>;
  /** Names of all nodes, and where each is. */
  readonly places: ReadonlyMap<string, { readonly address: string; readonly allowedIps: readonly string[] }>;
  random(length: number): Uint8Array;
  /** Has the store say this of a node. */
  publish(row: WireGuardRow): void;
  /** A node asks another one to agree on a preshared key, and is answered when that one has it as a peer. */
  ask(peer: string, request: PairRequest): Promise<PairAnswer>;
  /** A node has something to look at. */
  wake(node: SimulatedNode): void;
  /** A node begins handshakes with the owners of these keys. */
  begins(node: SimulatedNode, device: WireGuardDevice, publicKeys: readonly string[]): void;
}

/**
 * A node whose disk, devices and datapath are memory. What it knows of others it has decoded itself, and what it decides by is what an agent decides
 * by; its tables do for that what the agent's `EncryptionTables` does.
 */
export class SimulatedNode implements RecordSink {
  readonly name: string;
  readonly wireguard: MemoryWireGuard;
  /** The first change in the store that it has not seen. */
  cursor = 0;
  readonly #cluster: { readonly name: string; readonly id: number };
  readonly #node: string;
  readonly #around: Surroundings;
  readonly #runner: RotationRunner;
  readonly #keyFiles = new Map<Epoch, WireGuardKey>();
  readonly #rows = new Map<string, WireGuardRow>();
  readonly #targets = new Map<string, WireGuardTargetRow>();
  readonly #tx = new Map<string, WireGuardDevice>();
  readonly #sentBy: Record<WireGuardDevice, number> = { even: 0, odd: 0 };
  #usable: ReadonlyMap<string, WireGuardRow> | undefined;
  #liveEpochs: LiveEpochs[] | undefined;
  #said = '';
  /** What it has said last of its keys. */
  #stands: WireGuardRecord | undefined;
  closed = 0;
  readonly #secrets = new SimulatedSecrets();
  /** Who waits for an answer, until the node has it as a peer. */
  #callers: { readonly request: PairRequest; readonly hear: (answer: PairAnswer) => void }[] = [];

  constructor(cluster: { name: string; id: number }, node: string, around: Surroundings) {
    this.#cluster = cluster;
    this.#node = node;
    this.#around = around;
    this.name = `${cluster.name}/${node}`;
    this.wireguard = new MemoryWireGuard({
      publicKeyIn: (file) => this.#publicKey(Number(file)),
      begins: (device, keys) => around.begins(this, device as WireGuardDevice, keys),
    });
    this.#runner = this.#newRunner();
  }

  row(name: string, row: WireGuardRow): void {
    this.#rows.set(name, row);
    [this.#usable, this.#liveEpochs] = [undefined, undefined];
  }

  target(row: WireGuardTargetRow): void {
    this.#targets.set(row.cluster, row);
  }

  /** Takes part in an agreement. */
  async accept(request: PairRequest): Promise<PairAnswer> {
    await this.#secrets.accept(request);
    return new Promise((hear) => this.#callers.push({ request, hear }));
  }

  /** One look. @returns whether something was done */
  async look(): Promise<boolean> {
    const actions = await this.#runner.step();
    await this.#answer();
    // What other clusters want is said beside what the node has, and may be all that is new. See `AgentEncryption`.
    const wanted = this.#rows.get(this.name)?.wanted;
    if (this.#stands !== undefined && hasNewsOfWanted(this.#target(), { ...this.#stands, wanted })) this.#publish(this.#stands);
    return actions.length > 0;
  }

  async #answer(): Promise<void> {
    const waiting = this.#callers;
    this.#callers = [];
    for (const caller of waiting) {
      const { request } = caller;
      if (this.#runner.has(request.epoch, request.callerKey)) caller.hear(await this.#secrets.accept(request));
      else this.#callers.push(caller);
    }
  }

  /** Whether it sends to so many others by the keys of an epoch. */
  sendsBy(epoch: Epoch, peers: number): boolean {
    return this.#sentBy[deviceOf(epoch)] === peers;
  }

  /** Whether an epoch's key is the only one that it has. */
  hasOnly(epoch: Epoch): boolean {
    return this.#keyFiles.size === 1 && this.#keyFiles.has(epoch);
  }

  /** Whether there will soon be something to do, see `AgentEncryption`. */
  isMoving(): boolean {
    const newest = this.#newest();
    return this.#keyFiles.size !== 1 || newest < this.#target().epoch || this.#tx.size < this.#around.places.size - 1;
  }

  #newest(): Epoch {
    return Math.max(0, ...this.#keyFiles.keys());
  }

  #target(): MeshTarget {
    return meshTarget({ cluster: this.#cluster.name, newest: this.#newest() }, [...this.#targets.values()], this.#live());
  }

  #live(): LiveEpochs[] {
    this.#liveEpochs ??= [...this.#usableRows().values()].map(({ cluster, epochs }) => ({
      cluster,
      epochs: epochs.map(({ epoch }) => epoch),
    }));
    return this.#liveEpochs;
  }

  #usableRows(): ReadonlyMap<string, WireGuardRow> {
    this.#usable ??= usableWireGuardRows(this.#rows, this.#cluster.name);
    return this.#usable;
  }

  #peers(): PeerView[] {
    const rows = this.#usableRows();
    const peers: PeerView[] = [];
    for (const name of this.#around.places.keys())
      if (name !== this.name) peers.push({ name, record: rows.get(name), tx: this.#tx.get(name) ?? 'closed' });
    return peers;
  }

  #publicKey(epoch: Epoch): string | undefined {
    return this.#keyFiles.get(epoch)?.publicKey;
  }

  #publish(record: WireGuardRecord): void {
    this.#stands = record;
    const { wanted } = this.#target();
    const row = { cluster: this.#cluster.name, clusterId: this.#cluster.id, name: this.#node, ...record, ...(wanted && { wanted }) };
    const text = JSON.stringify(row);
    // It is said again until it is read back, and written once.
    if (text === this.#said) return;
    this.#said = text;
    this.#around.publish(row);
  }

  #send(peer: string, device: WireGuardDevice | undefined): Promise<void> {
    const before = this.#tx.get(peer);
    if (before !== undefined) this.#sentBy[before]--;
    if (device === undefined) {
      this.closed++;
      this.#tx.delete(peer);
    } else {
      this.#sentBy[device]++;
      this.#tx.set(peer, device);
    }
    return Promise.resolve();
  }

  #newRunner(): RotationRunner {
    const { times, clock, places, random, wake } = this.#around;
    const secrets = this.#secrets;
    return new RotationRunner({
      name: this.name,
      times,
      clock,
      random,
      keys: {
        // Nobody here needs the private halves, so that they may be wiped.
        load: async () => ({ keys: this.#keyFiles }),
        save: async (epoch, key) => void this.#keyFiles.set(epoch, key),
        remove: async (epoch) => void this.#keyFiles.delete(epoch),
        file: (epoch) => String(epoch),
      },
      wireguard: this.wireguard,
      devices: DEVICES,
      mark: 0,
      ensureDevice: async () => undefined,
      target: () => this.#target().epoch,
      published: () => recordOf(this.#usableRows().get(this.name)),
      publish: async (record) => this.#publish(record),
      peers: () => this.#peers(),
      placeOf: (peer) => places.get(peer),
      send: (peer, device) => this.#send(peer, device),
      close: (peer) => this.#send(peer, undefined),
      preshared: { secrets, agreements: new PairAgreements(secrets, this.#around, clock, () => wake(this)), required: true },
    });
  }
}

function recordOf(row: WireGuardRow | undefined): WireGuardRecord | undefined {
  return row && { epochs: row.epochs, minTx: row.minTx, laggards: row.laggards };
}
