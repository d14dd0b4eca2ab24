import { Feed, Store, systemClock } from '@isthmus/core';
import type { IpRow } from '@isthmus/model';
import type { MillionRows } from './million-rows-process.ts';

const ROWS = 1_000_000;
/** Rows of a commit: design §1 allows no more of a listing at once. */
const COMMIT = 2_000;
/** Rows that a sink reads at once. */
const READ = 1_024;
const CHANGED = 100_000;
const [IDENTITIES, HOSTS] = [10_000, 1_000];

/** A table of address rows as the agent's, filled, read through, changed and partly deleted, in the steps in which the agent does it. */
async function main(): Promise<MillionRows> {
  const store = new Store(systemClock);
  const writer = store.table<IpRow>('ips');
  const turns = new Turns();
  const before = heapInUse();
  await inCommits(0, ROWS, turns, (from, to) => store.transact(() => each(from, to, (i) => writer.put(keyOf(i), rowOf(i, 0)))));
  const bytesPerRow = (heapInUse() - before) / ROWS;
  turns.begin();
  const feed = new Feed(writer.table);
  while (feed.pending) {
    feed.next(READ);
    await turns.next();
  }
  await inCommits(0, CHANGED, turns, (from, to) => store.transact(() => each(from, to, (i) => writer.put(keyOf(i), rowOf(i, 1)))));
  await inCommits(0, CHANGED, turns, (from, to) => store.transact(() => each(from, to, (i) => writer.delete(keyOf(i)))));
  return { bytesPerRow, longestTurnMs: turns.longestMs };
}

/** Measures turns of the event loop by the processor time of this thread. */
class Turns {
  longestMs = 0;
  #began = cpuMs();

  /** Forgets what was done since the last turn: it is no part of what is measured. */
  begin(): void {
    this.#began = cpuMs();
  }

  /** Ends a turn and lets the event loop run. */
  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const now = cpuMs();
    this.longestMs = Math.max(this.longestMs, now - this.#began);
    this.#began = now;
  }
}

async function inCommits(first: number, end: number, turns: Turns, commit: (from: number, to: number) => void): Promise<void> {
  turns.begin();
  for (let from = first; from < end; from += COMMIT) {
    commit(from, Math.min(end, from + COMMIT));
    await turns.next();
  }
}

function each(from: number, to: number, fn: (i: number) => void): void {
  for (let i = from; i < to; i++) fn(i);
}

function keyOf(i: number): string {
  return `remote-${i % 250}/${ipOf(i)}`;
}

function ipOf(i: number): string {
  return `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
}

const hosts = Array.from({ length: HOSTS }, (_, i) => `172.20.${i >> 8}.${i & 255}`);

function rowOf(i: number, revision: number): IpRow {
  const cluster = i % 250;
  return {
    cluster: clusters[cluster] as string,
    clusterId: cluster + 2,
    ip: decoded(ipOf(i)),
    hostIp: hosts[i % HOSTS] as string,
    identity: (cluster + 2) * 65_536 + ((i + revision) % IDENTITIES),
    namespace: 'default',
    pod: decoded(`app-${i % IDENTITIES}-${i}`),
  };
}

/** As texts come out of records: in one piece, not as the parts that they were put together from. */
function decoded(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

const clusters = Array.from({ length: 250 }, (_, i) => `remote-${i}`);

function heapInUse(): number {
  for (let i = 0; i < 2; i++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

if (!globalThis.gc) throw new Error('run it with --expose-gc');
console.log(JSON.stringify(await main()));
