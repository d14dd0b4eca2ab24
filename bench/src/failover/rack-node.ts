import { join } from 'node:path';
import { BfdClient } from '@isthmus/bgp';
import { CodedError, systemClock, systemRandom } from '@isthmus/core';
import { type BpfMap, decodePeerValue, listLinks, listRoutes, NetlinkMonitor, NetlinkSocket, PeerMode, withNetns } from '@isthmus/datapath';
import { type Lab, linksOf, type NodePlace, waitUntil } from '@isthmus/lab';
import { BENCH_NOT_ARRIVED } from '../bench.errors.ts';
import { agentMap, untilAll, type Wanted } from '../mesh/agent-map.ts';
import { LearnedHops } from './learned-hops.ts';
import { RackCable } from './rack-cable.ts';

/** Of a cut, and of what comes after it. */
const [NOTICE_TIMEOUT_MS, READY_TIMEOUT_MS] = [20_000, 90_000];
const FAMILIES = 2;
/** Silence that ends a session: 3 × 50 ms. */
const DETECTION_MS = 150;

/**
 * A node of a rack, as a failover is seen in it: its kernel tells of its learned routes as they change, so that nobody looks for them; of peers in
 * the datapath's map nobody tells, so that is looked at every other millisecond while one is waited for.
 */
export class RackNode {
  readonly id: string;
  readonly cables: readonly RackCable[];
  readonly #netns: string;
  readonly #indexes: ReadonlyMap<string, number>;
  readonly #hops: LearnedHops;
  readonly #monitor: NetlinkMonitor;
  readonly #peers: BpfMap;
  readonly #bfd: BfdClient;
  #listener: (at: number) => void = () => {};

  private constructor(node: NodePlace, cables: readonly RackCable[]) {
    this.id = node.id;
    this.cables = cables;
    this.#netns = `/run/netns/${node.netns}`;
    const [monitor, hops, indexes] = withNetns(this.#netns, () => [
      new NetlinkMonitor((events) => {
        const at = performance.now();
        this.#hops.take(events);
        this.#listener(at);
      }),
      kernelHops(),
      new Map(NetlinkSocket.using('route', undefined, (socket) => listLinks(socket)).map(({ name, index }) => [name, index])),
    ]);
    this.#monitor = monitor;
    this.#hops = hops;
    this.#indexes = indexes;
    this.#peers = agentMap(node, 'isth_peers');
    // It asks and wants nothing: what is wanted is the agent's.
    this.#bfd = new BfdClient({ path: join(node.run, 'isthmus/bfd.sock'), clock: systemClock, random: systemRandom, onState: () => {} });
    this.#bfd.start();
  }

  /** Begins to watch a node. */
  static async open(lab: Lab, node: NodePlace): Promise<RackNode> {
    const netns = lab.cluster(node.cluster).rack?.netns ?? '';
    const cables: RackCable[] = [];
    for (const link of linksOf(lab.plan, node)) cables.push(await RackCable.open(lab, node, link, netns));
    return new RackNode(node, cables);
  }

  /** Waits until nothing is cut any more: all routes and native peers are there, and BFD watches with its full speed. @throws CodedError LAB_TIMEOUT */
  async whole(routes: number, peers: number): Promise<void> {
    await this.#until('all learned routes over both links', () => this.#hops.areWhole(routes, this.#indexesOf(this.cables)));
    await this.#until('native peers', () => this.#nativeKeys().length === peers);
    await this.#until('BFD with its ToR', () => this.#watches());
  }

  /**
   * Waits until no learned route leads over these cables.
   * @returns when the kernel told of the last one, as `performance.now`
   * @throws CodedError BENCH_NOT_ARRIVED
   */
  async routesLeft(cables: readonly RackCable[]): Promise<number> {
    const indexes = this.#indexesOf(cables);
    const at = await this.#told(() => !this.#hops.isOver(indexes), `no route over ${cables.map(({ device }) => device).join(' and ')}`);
    if (withNetns(this.#netns, kernelHops).isOver(indexes)) throw notArrived(this.id, 'the kernel has other routes than it told of');
    return at;
  }

  /** Waits until the datapath sends to no peer natively. @returns when that was seen, as `performance.now`, 2 ms late at most */
  peersLeft(): Promise<number> {
    const wanted = this.#nativeKeys().map((key): Wanted => ({ key, is: (value) => value === undefined || !isNative(value) }));
    return untilAll(this.#peers, wanted, NOTICE_TIMEOUT_MS);
  }

  /** Stops watching. */
  async close(): Promise<void> {
    for (const cable of this.cables) cable.close();
    this.#bfd.stop();
    this.#peers.close();
    await this.#monitor.close();
  }

  #told(isSo: () => boolean, what: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const settle = (then: () => void): void => {
        cancel();
        this.#listener = () => {};
        then();
      };
      const cancel = systemClock.after(NOTICE_TIMEOUT_MS, () => settle(() => reject(notArrived(this.id, what))));
      this.#listener = (at) => isSo() && settle(() => resolve(at));
      if (isSo()) settle(() => resolve(performance.now()));
    });
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    const onTimeout = (): string => `${this.#hops}; ${this.#sessions()}`;
    await waitUntil(isSo, { what: `${what} of ${this.id}`, timeoutMs: READY_TIMEOUT_MS, onTimeout });
  }

  #indexesOf(cables: readonly RackCable[]): number[] {
    return cables.map(({ device }) => this.#indexes.get(device) as number);
  }

  #watches(): boolean {
    this.#bfd.refresh();
    const reports = [...this.#bfd.reports().values()];
    const isFast = reports.every(
      ({ state, remoteState, detectionMs }) => state === 'up' && remoteState === 'up' && detectionMs === DETECTION_MS,
    );
    return reports.length === this.cables.length * FAMILIES && isFast;
  }

  #sessions(): string {
    return [...this.#bfd.reports().values()].map(({ key, state, detectionMs }) => `${key} ${state} ${detectionMs} ms`).join(', ');
  }

  #nativeKeys(): Uint8Array[] {
    return [...this.#peers.entries()].flatMap(([key, value]) => (isNative(value) ? [key] : []));
  }
}

function kernelHops(): LearnedHops {
  return new LearnedHops(NetlinkSocket.using('route', undefined, (socket) => listRoutes(socket)));
}

function isNative(value: Uint8Array): boolean {
  return decodePeerValue(value).mode === PeerMode.native;
}

function notArrived(node: string, what: string): CodedError {
  return new CodedError(BENCH_NOT_ARRIVED, `${node}: ${what}: did not come about`, { object: node });
}
