import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { EtcdKvStore } from '@isthmus/kvstore';
import type { ClientConfig } from '../mesh/etcd-client.ts';
import type { RelayArguments } from './relay.ts';

const RELAY = new URL('./relay.ts', import.meta.url).pathname;
const PREFIX = 'bench/relay/';

/** The etcds of a chain, first to last: what is put into the first comes out of the last. */
export interface ChainEtcds {
  readonly first: EtcdKvStore;
  readonly last: EtcdKvStore;
  readonly configs: readonly ClientConfig[];
}

/**
 * A minimal chain of relays over the same etcds that ours goes over, each a process of its own as ours are: watch, put, watch, put, watch.
 * It decodes nothing and writes no map.
 */
export class RelayChain {
  readonly #etcds: ChainEtcds;
  readonly #relays: readonly ChildProcess[];
  readonly #stop = new AbortController();
  readonly #waiting = new Map<string, (at: number) => void>();
  readonly #watching: Promise<void>;

  private constructor(etcds: ChainEtcds, relays: readonly ChildProcess[], started: () => void) {
    this.#etcds = etcds;
    this.#relays = relays;
    this.#watching = this.#watch(started);
  }

  /** Starts the relays. Call it inside of the lab's network. */
  static async start(etcds: ChainEtcds): Promise<RelayChain> {
    const { configs } = etcds;
    const relays = configs.slice(1).map((to, index) => startRelay({ from: configs[index] as ClientConfig, to, prefix: PREFIX }));
    await Promise.all(relays.map((child) => once(child.stdout as NodeJS.ReadableStream, 'data')));
    return new Promise((resolve) => {
      const chain: RelayChain = new RelayChain(etcds, relays, () => resolve(chain));
    });
  }

  /** Puts a value into the first etcd. Answers the milliseconds from there being acknowledged until the last one's watch told of it. */
  async pass(key: string, value: string): Promise<number> {
    const arrived = new Promise<number>((resolve) => this.#waiting.set(PREFIX + key, resolve));
    await this.#etcds.first.put(PREFIX + key, value);
    const acknowledged = performance.now();
    return (await arrived) - acknowledged;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const child of this.#relays) child.stdin?.end();
    await Promise.all(this.#relays.map((child) => child.exitCode ?? once(child, 'exit')));
    await this.#watching;
  }

  async #watch(started: () => void): Promise<void> {
    for await (const { kind, events } of this.#etcds.last.watch(PREFIX, { signal: this.#stop.signal })) {
      if (kind === 'created') started();
      for (const { entry } of events) this.#waiting.get(entry.key)?.(performance.now());
    }
  }
}

function startRelay(told: RelayArguments): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, RELAY, JSON.stringify(told)], { stdio: ['pipe', 'pipe', 'inherit'] });
}
