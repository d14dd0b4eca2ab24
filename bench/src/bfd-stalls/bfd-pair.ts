import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand, tryCommand } from '@isthmus/lab';
import { BfdEnd, type BfdWay } from './bfd-end.ts';
import { FalseDowns } from './false-downs.ts';

const [ONE, OTHER] = ['isthbench-bfd-a', 'isthbench-bfd-b'];
const DEVICE = 'bfd0';
/** Over each family, each between addresses of its own. */
const WAYS = [1, 2, 3, 4];

/** Two BFD processes with sessions between them, over a cable between two network namespaces. */
export class BfdPair {
  readonly downs = new FalseDowns();
  readonly sessions = 2 * WAYS.length;
  readonly #folder = mkdtempSync(join(tmpdir(), 'isthmus-bench-bfd-'));
  readonly #ends: BfdEnd[] = [];

  /** Starts them and waits until all sessions are up. */
  async start(): Promise<void> {
    await removeNamespaces();
    await makeNamespaces();
    for (const [netns, own, other] of [
      [ONE, 1, 2],
      [OTHER, 2, 1],
    ] as const)
      this.#ends.push(new BfdEnd(netns, this.#folder, DEVICE, waysBetween(own, other), (report) => this.downs.take(netns, report)));
    for (const end of this.#ends) await end.begin();
    await this.up();
    this.downs.since();
  }

  /** Waits until all sessions are up, as they are unless one failed. */
  async up(): Promise<void> {
    for (const end of this.#ends) await end.up();
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) await end.stop();
    rmSync(this.#folder, { recursive: true, force: true });
    await removeNamespaces();
  }
}

function waysBetween(own: number, other: number): BfdWay[] {
  return WAYS.flatMap((way) => [
    { key: `ipv4 ${way}`, local: addresses(way, own).ipv4, remote: addresses(way, other).ipv4 },
    { key: `ipv6 ${way}`, local: addresses(way, own).ipv6, remote: addresses(way, other).ipv6 },
  ]);
}

function addresses(way: number, end: number): { ipv4: string; ipv6: string } {
  return { ipv4: `10.98.${way}.${end}`, ipv6: `fd98:${way}::${end}` };
}

async function makeNamespaces(): Promise<void> {
  for (const netns of [ONE, OTHER]) await runCommand(['ip', 'netns', 'add', netns]);
  await runCommand(['ip', '-n', ONE, 'link', 'add', DEVICE, 'type', 'veth', 'peer', 'name', DEVICE, 'netns', OTHER]);
  for (const [netns, end] of [
    [ONE, 1],
    [OTHER, 2],
  ] as const) {
    const lines = WAYS.flatMap((way) => {
      const { ipv4, ipv6 } = addresses(way, end);
      return [`address add ${ipv4}/24 dev ${DEVICE}`, `address add ${ipv6}/64 dev ${DEVICE} nodad`];
    });
    await runCommand(['ip', '-n', netns, '-batch', '-'], { input: `${lines.join('\n')}\nlink set ${DEVICE} up\n` });
  }
}

/** What an earlier run left may be there, or not. */
async function removeNamespaces(): Promise<void> {
  for (const netns of [ONE, OTHER]) await tryCommand(['ip', 'netns', 'delete', netns]);
}
