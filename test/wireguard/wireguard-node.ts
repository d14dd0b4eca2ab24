import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@isthmus/core';
import {
  type Epoch,
  EpochKeyFolder,
  type PeerView,
  type RotationAction,
  RotationRunner,
  systemRandomBytes,
  UapiWireGuard,
  type WireGuardDevice,
  type WireGuardPort,
  type WireGuardRecord,
  wireguardMtu,
} from '@isthmus/crypto';
import { waitUntil } from '@isthmus/lab';
import { runIn, SOCKETS, tool } from './netns-command.ts';

/** Marks what a device sends, so that nobody encrypts it again. */
const MARK = 0x1e00;
/** The default of agents: packets wait in queues where the processor is busy. */
const DRAIN_MS = 3_000;
const MAX_OVERLAP_MS = 60_000;

/** What nodes tell each other by: a store that is as it is, at once. */
export interface TestStore {
  target: Epoch;
  readonly records: Map<string, WireGuardRecord>;
  /** What nodes tell those who know of no epochs: one key each. */
  readonly single: Map<string, string>;
}

/** A network namespace whose pod is reached through WireGuard: two devices of wireguard-go, and what decides on their keys. */
export class WireGuardNode {
  readonly name: string;
  readonly link: string;
  readonly pod: string;
  readonly wg: WireGuardPort;
  readonly keys: EpochKeyFolder;
  /** What the route to each other node's pod leads into. */
  readonly tx = new Map<string, WireGuardDevice>();
  protected readonly store: TestStore;
  protected readonly others: WireGuardNode[] = [];
  readonly #netns: string;
  #runner: RotationRunner;

  /** @param number 1 to 9, in its addresses */
  constructor(number: number, store: TestStore) {
    this.name = `east/n${number}`;
    this.link = `192.0.2.${number}`;
    this.pod = `10.${number}.0.1`;
    this.#netns = `isthwg-${process.pid}-${number}`;
    this.store = store;
    this.keys = new EpochKeyFolder(mkdtempSync(join(tmpdir(), 'isthmus-wireguard-')));
    this.wg = new UapiWireGuard();
    this.#runner = this.#newRunner();
    ip('netns', 'add', this.#netns);
    this.ip('link', 'set', 'lo', 'up');
    this.ip('address', 'add', `${this.pod}/32`, 'dev', 'lo');
  }

  /** Puts nodes on one link, and tells them of each other. */
  static connect(nodes: readonly WireGuardNode[], segment: string): void {
    ip('netns', 'add', segment);
    ip('-n', segment, 'link', 'add', 'br0', 'type', 'bridge');
    ip('-n', segment, 'link', 'set', 'br0', 'up');
    for (const [i, node] of nodes.entries()) node.join(nodes.slice(0, i), segment);
  }

  /** Puts the node on a link where others are, and tells them of each other. */
  join(others: readonly WireGuardNode[], segment: string): void {
    const port = `p${others.length}`;
    ip('-n', this.#netns, 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', port, 'netns', segment);
    ip('-n', segment, 'link', 'set', port, 'master', 'br0', 'up');
    this.ip('address', 'add', `${this.link}/24`, 'dev', 'up0');
    this.ip('link', 'set', 'up0', 'up');
    this.others.push(...others);
    for (const other of others) other.others.push(this);
  }

  /** Forgets another node. */
  part(other: WireGuardNode): void {
    this.others.splice(this.others.indexOf(other), 1);
  }

  /** Name of a device. The daemon's socket is named after it, and namespaces share the folder of those. */
  device(device: WireGuardDevice): string {
    return `wg${process.pid}n${this.name.at(-1)}${device[0]}`;
  }

  /** Looks, and does what follows. */
  async step(): Promise<readonly RotationAction[]> {
    const actions = await this.#runner.step();
    const { keys } = await this.keys.load();
    const [epoch] = [...keys.keys()].sort((a, b) => (a % 2) - (b % 2) || b - a);
    if (epoch !== undefined) this.store.single.set(this.name, keys.get(epoch)!.publicKey);
    return actions;
  }

  /** How another node sees this one. @param own epochs that the other one has keys of */
  seenBy(_own: readonly Epoch[]): Pick<PeerView, 'record' | 'withoutEpochs'> {
    return { record: this.store.records.get(this.name) };
  }

  /** What a new agent is, after the old one was killed. */
  restart(): void {
    this.#runner = this.#newRunner();
  }

  ip(...words: string[]): string {
    return ip('-n', this.#netns, ...words);
  }

  /** Runs a program here. @returns what it printed */
  run(program: string, ...words: string[]): Promise<string> {
    return runIn(this.#netns, program, words).then(String);
  }

  /** Takes the devices away, with which their daemons end, then the rest. */
  async remove(): Promise<void> {
    for (const device of (['even', 'odd'] as const).map((each) => this.device(each))) {
      const socket = join(SOCKETS, `${device}.sock`);
      if (!existsSync(socket)) continue;
      this.ip('link', 'del', device);
      const isGone = async (): Promise<boolean> => !existsSync(socket);
      await waitUntil(isGone, { what: `the end of the daemon of ${device}`, timeoutMs: 5_000 });
    }
    ip('netns', 'del', this.#netns);
    rmSync(this.keys.path, { recursive: true, force: true });
  }

  #newRunner(): RotationRunner {
    const { store } = this;
    return new RotationRunner({
      name: this.name,
      times: { drainMs: DRAIN_MS, maxOverlapMs: MAX_OVERLAP_MS },
      clock: systemClock,
      random: systemRandomBytes,
      keys: this.keys,
      wireguard: this.wg,
      devices: { even: this.device('even'), odd: this.device('odd') },
      mark: MARK,
      ensureDevice: (device) => this.ensureDevice(this.device(device)),
      target: () => store.target,
      published: () => store.records.get(this.name),
      publish: async (record) => void store.records.set(this.name, record),
      peers: () =>
        this.others.map((other): PeerView => {
          return { name: other.name, ...other.seenBy(this.#epochs()), tx: this.tx.get(other.name) ?? 'closed' };
        }),
      placeOf: (peer) => {
        const { link, pod } = this.#other(peer);
        return { address: link, allowedIps: [`${pod}/32`] };
      },
      send: async (peer, device) => this.send(this.#other(peer), device),
      close: async (peer) => {
        this.ip('route', 'del', `${this.#other(peer).pod}/32`);
        this.tx.delete(peer);
      },
    });
  }

  /** Has what is for another node's pod go into a device. */
  protected send(other: WireGuardNode, device: WireGuardDevice): void {
    this.ip('route', 'replace', `${other.pod}/32`, 'dev', this.device(device), 'src', this.pod);
    this.tx.set(other.name, device);
  }

  #epochs(): Epoch[] {
    return readdirSync(this.keys.path).map((name) => Number(/^epoch-(\d+)/.exec(name)?.[1]));
  }

  #other(name: string): WireGuardNode {
    return this.others.find((other) => other.name === name)!;
  }

  protected async ensureDevice(name: string): Promise<void> {
    if ((await this.wg.show(name)) !== undefined) return;
    // It goes to the background when it listens, and ends with its device.
    await runIn(this.#netns, tool('wireguard-go'), [name]);
    this.ip('link', 'set', name, 'mtu', String(wireguardMtu(1500, 4)), 'up');
  }
}

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}
