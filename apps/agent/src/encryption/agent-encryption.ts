import { isDeepStrictEqual } from 'node:util';
import { type Clock, delay, Feed, LOG, type Log, messageOf, Notifier, type Table } from '@isthmus/core';
import {
  deviceOf,
  EpochKeyFolder,
  meshTarget,
  type PeerView,
  RotationRunner,
  systemRandomBytes,
  WgTool,
  type WireGuardDevice,
  type WireGuardRecord,
} from '@isthmus/crypto';
import type { Config, EncryptionExemption, NodeRow, WireGuardRow, WireGuardTargetRow } from '@isthmus/model';
import type { AgentFacts } from '../agent-facts.ts';
import type { AgentTables } from '../tables/agent-tables.ts';
import { usableWireGuardRows } from '../tables/usable-wireguard-rows.ts';
import { type EncryptionStatus, encryptionStatus } from './encryption-status.ts';
import { placeOfNode } from './peer-place.ts';
import { WIREGUARD_NAMES, WireGuardDevices, wireguardFolder } from './wireguard-devices.ts';

/** Skb mark of what the devices send: already encrypted (bpf/lib/mark.h). */
const MARK_ENCRYPTED = 0x0e00;
/** Time between two looks: after something was done, while something is waited for, and while nothing is. */
const BUSY_MS = 50;
const WAITING_MS = 250;
const IDLE_MS = 1_000;
/** How long a kernel map may take to get a row. */
const SETTLE_MS = 10_000;
/** Time between two attempts to get the devices. */
const REOPEN_MS = 2_000;

/** What the encryption of a node works with. */
export interface AgentEncryptionOptions {
  readonly config: Config;
  readonly facts: AgentFacts;
  readonly clock: Clock;
  readonly log: Log;
  readonly tables: AgentTables;
}

/** What it changes things by, once the datapath is there. */
export interface EncryptionHands {
  /** Says in the store what this node has. Returns at once: it is read back when it is there. */
  publish(row: WireGuardRow): void;
  /** Told when {@link AgentEncryption.publicKey} is another one. */
  onPublicKey(): void;
  /** Resolves when the datapath sends to an address as the tables of a revision say. */
  settled(address: string, revision: number, signal: AbortSignal): Promise<void>;
  /** Whether all other nodes are known. Before, nobody is taken for gone. */
  complete(): boolean;
}

/**
 * Keeps a node's keys and sessions as the mesh's target wants them: a look at everything that concerns them, and whatever {@link RotationRunner} says
 * follows from it. Nothing is remembered that a restart would lose.
 */
export class AgentEncryption {
  readonly #options: AgentEncryptionOptions;
  readonly #name: string;
  readonly #devices: WireGuardDevices;
  readonly #folder: EpochKeyFolder;
  readonly #wake = new Notifier();
  #keys: ReadonlyMap<number, string> = new Map();
  #problem: string | undefined;
  readonly #broken = new Set<string>();
  #runner: RotationRunner | undefined;
  /** What the store was last told. */
  #said: WireGuardRecord | undefined;

  constructor(options: AgentEncryptionOptions) {
    this.#options = options;
    const { config, facts, clock } = options;
    this.#name = `${facts.cluster}/${facts.node}`;
    this.#devices = new WireGuardDevices(facts.wireguardMtu, clock);
    this.#folder = new EpochKeyFolder(wireguardFolder(config['state-dir']));
  }

  /** Makes the devices, or takes over those that are there. Tries until it can. @returns their numbers */
  async open(signal: AbortSignal): Promise<Readonly<Record<WireGuardDevice, number>>> {
    const { clock, log } = this.#options;
    if (!(await this.#folder.isInMemory()))
      log.warn({ folder: this.#folder.path }, 'private keys are kept on a disk: put the state folder on a file system in memory');
    for (;;) {
      try {
        const ifindex = await this.#devices.open();
        this.#tell(undefined);
        return ifindex;
      } catch (error) {
        this.#tell(error);
      }
      await delay(clock, REOPEN_MS, signal);
    }
  }

  /** Takes over what an earlier agent let the datapath send by: a peer must not be closed only because nobody has said anything of it yet. */
  adopt(tx: Iterable<readonly [address: string, device: WireGuardDevice]>): void {
    const { tables } = this.#options;
    tables.store.transact(() => {
      for (const [address, device] of tx) tables.sources.wireguardTx.put(address, { device });
    });
  }

  /** Why nothing can be done at present; undefined when all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** What is told to those who know of no epochs: the key that is listened for at WireGuard's first port, or the only one that there is. */
  publicKey(): string | undefined {
    const epochs = [...this.#keys.keys()].sort((a, b) => b - a);
    const epoch = epochs.find((each) => deviceOf(each) === 'even') ?? epochs[0];
    return epoch === undefined ? undefined : this.#keys.get(epoch);
  }

  /** Runs until the signal aborts. What is on the devices stays. */
  async run(hands: EncryptionHands, signal: AbortSignal): Promise<void> {
    const { tables, clock } = this.#options;
    const runner = this.#newRunner(hands, signal);
    this.#runner = runner;
    const stop = this.#listen();
    signal.addEventListener('abort', () => this.#wake.notify(), { once: true });
    try {
      await tables.store.changed.until(() => hands.complete(), signal);
      while (!signal.aborted) {
        const woken = this.#wake.wait();
        const pauseMs = await this.#step(runner, hands, signal);
        const cancel = clock.after(pauseMs, () => this.#wake.notify());
        await woken;
        cancel();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      stop();
    }
  }

  /** What people are shown. @param exempt what is not encrypted in any case */
  status(exempt: readonly EncryptionExemption[]): EncryptionStatus {
    const { config, clock } = this.#options;
    return encryptionStatus({
      node: this.#name,
      strict: config['encryption-strict-mode'],
      encryptNode: config['encrypt-node'],
      implementation: this.#devices.implementation,
      problem: this.#problem,
      exempt: exempt.map(({ protocol, ports, purpose }) => ({ protocol, ports, what: purpose })),
      keys: this.#keys,
      devices: this.#runner?.seen ?? { even: undefined, odd: undefined },
      peers: this.#peers(),
      target: this.#target(),
      targets: this.#targets(),
      now: clock.wall() / 1000,
    });
  }

  /** @returns after how long to look again, when nothing happens before */
  async #step(runner: RotationRunner, hands: EncryptionHands, signal: AbortSignal): Promise<number> {
    try {
      const before = this.publicKey();
      await this.#readKeys();
      if (this.publicKey() !== before) hands.onPublicKey();
      const actions = await runner.step();
      const stands = this.#published();
      // What an earlier agent said is said by this one from now on: then it is written again where the store loses it.
      if (this.#said === undefined && stands !== undefined) this.#publish(stands, hands);
      for (const action of actions)
        if (action.do !== 'quiet' && action.do !== 'kick')
          this.#options.log.debug({ action: action.do, ...nameless(action) }, 'encryption');
      this.#tell(undefined);
      if (actions.length > 0) return BUSY_MS;
      return this.#isMoving() ? WAITING_MS : IDLE_MS;
    } catch (error) {
      if (!signal.aborted) this.#tell(error);
      return IDLE_MS;
    }
  }

  async #readKeys(): Promise<void> {
    const { keys, broken } = await this.#folder.load();
    this.#keys = new Map([...keys].map(([epoch, key]) => [epoch, key.publicKey]));
    for (const key of keys.values()) key.wipe();
    for (const [file, error] of broken) {
      if (!this.#broken.has(file))
        this.#options.log.error({ file, [LOG.error]: error }, 'a key file is broken: a new key is made for its epoch');
      this.#broken.add(file);
    }
  }

  /** A failure is told when it begins, and when it is over. */
  #tell(error: unknown): void {
    const problem = error === undefined ? undefined : messageOf(error);
    if (problem !== undefined && problem !== this.#problem) this.#options.log.warn({ [LOG.error]: error }, 'encryption: is tried again');
    if (problem === undefined && this.#problem !== undefined) this.#options.log.info({}, 'encryption: works again');
    this.#problem = problem;
  }

  /** While somebody is not reached yet by the newest keys there will soon be something to do. */
  #isMoving(): boolean {
    const newest = Math.max(0, ...this.#keys.keys());
    return (
      this.#keys.size !== 1 || newest < this.#target() || this.#peers().some(({ tx, record }) => tx === 'closed' && record !== undefined)
    );
  }

  #listen(): () => void {
    const { tables } = this.#options;
    const { localWireGuard, remoteWireGuard, localWireGuardTargets, remoteWireGuardTargets, localNodes, remoteNodes } = tables.sources;
    const watched = [localWireGuard, remoteWireGuard, localWireGuardTargets, remoteWireGuardTargets, localNodes, remoteNodes];
    const feeds = watched.map(({ table }) => new Feed(table as Table<object>));
    return tables.store.changed.listen(() => {
      let moved = false;
      for (const feed of feeds) while (feed.pending) moved = feed.next(1000) !== undefined || moved;
      if (moved) this.#wake.notify();
    });
  }

  #target(): number {
    const { facts } = this.#options;
    const live = [...this.#rows().values()].map(({ epochs }) => epochs.map(({ epoch }) => epoch));
    return meshTarget({ cluster: facts.cluster, newest: Math.max(0, ...this.#keys.keys()) }, this.#targets(), live);
  }

  #targets(): WireGuardTargetRow[] {
    const { localWireGuardTargets, remoteWireGuardTargets } = this.#options.tables.sources;
    return [localWireGuardTargets, remoteWireGuardTargets].flatMap(({ table }) => [...table.rows()].map(([, row]) => row));
  }

  #rows(): ReadonlyMap<string, WireGuardRow> {
    const { localWireGuard, remoteWireGuard } = this.#options.tables.sources;
    return usableWireGuardRows([...localWireGuard.table.rows(), ...remoteWireGuard.table.rows()], this.#options.facts.cluster);
  }

  #published(): WireGuardRecord | undefined {
    return recordOf(this.#rows().get(this.#name));
  }

  #node(name: string): NodeRow | undefined {
    const { localNodes, remoteNodes } = this.#options.tables.sources;
    return localNodes.table.get(name) ?? remoteNodes.table.get(name);
  }

  #peers(): PeerView[] {
    const { localNodes, remoteNodes, wireguardTx } = this.#options.tables.sources;
    const rows = this.#rows();
    const nodes = [localNodes, remoteNodes].flatMap(({ table }) => [...table.rows()]).filter(([name]) => name !== this.#name);
    return nodes.map(([name, { internalIps }]) => {
      const devices = new Set(internalIps.map((ip) => wireguardTx.table.get(ip)?.device ?? 'closed'));
      // A flip that was cut short has left one address behind: it is done again.
      const tx = devices.size === 1 ? [...devices][0]! : 'closed';
      return { name, record: recordOf(rows.get(name)), tx };
    });
  }

  #newRunner(hands: EncryptionHands, signal: AbortSignal): RotationRunner {
    const { settled } = hands;
    const { config, facts, clock } = this.#options;
    return new RotationRunner({
      name: this.#name,
      times: { drainMs: config['wireguard-drain'] * 1000, maxOverlapMs: config['wireguard-max-overlap'] * 1000 },
      clock,
      random: systemRandomBytes,
      keys: this.#folder,
      wireguard: new WgTool(),
      devices: WIREGUARD_NAMES,
      mark: MARK_ENCRYPTED,
      ensureDevice: (device) => this.#devices.ensure(device),
      opened: (device) => this.#devices.opened(device),
      target: () => this.#target(),
      published: () => this.#published(),
      publish: async (record) => this.#publish(record, hands),
      peers: () => this.#peers(),
      placeOf: (peer) => {
        const node = this.#node(peer);
        return node && placeOfNode(node, facts.hostIp.includes(':') ? 6 : 4);
      },
      send: (peer, device) => this.#send(peer, device, settled, signal),
      close: (peer) => this.#send(peer, undefined, settled, signal),
    });
  }

  /** It is read back when it is there; until then it is the same again. */
  #publish(record: WireGuardRecord, { publish }: EncryptionHands): void {
    if (isDeepStrictEqual(record, this.#said)) return;
    this.#said = record;
    const { cluster, clusterId, node: name } = this.#options.facts;
    publish({ cluster, clusterId, name, ...record });
  }

  /** All addresses of the node in one commit; done when the kernel has them. */
  async #send(peer: string, device: WireGuardDevice | undefined, settled: EncryptionHands['settled'], signal: AbortSignal): Promise<void> {
    const { tables } = this.#options;
    const { wireguardTx } = tables.sources;
    const addresses = this.#node(peer)?.internalIps ?? [];
    tables.store.transact(() => {
      for (const ip of addresses)
        if (device === undefined) wireguardTx.delete(ip);
        else wireguardTx.put(ip, { device });
    });
    const { revision } = tables.store;
    const until = AbortSignal.any([AbortSignal.timeout(SETTLE_MS), signal]);
    await Promise.all(addresses.map((ip) => settled(ip, revision, until)));
  }
}

function recordOf(row: WireGuardRow | undefined): WireGuardRecord | undefined {
  return row && { epochs: row.epochs, minTx: row.minTx, laggards: row.laggards };
}

/** What a log may say of an action: public keys are of no use to who reads it. */
function nameless(action: object): object {
  const { device, epoch, peer } = action as { device?: string; epoch?: number; peer?: string };
  return { device, epoch, peer };
}
