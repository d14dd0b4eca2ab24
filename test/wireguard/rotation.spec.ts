import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { delay, systemClock } from '@isthmus/core';
import { deviceOf } from '@isthmus/crypto';
import { waitUntil } from '@isthmus/lab';
import { SingleKeyNode } from './single-key-node.ts';
import { type TestStore, WireGuardNode } from './wireguard-node.ts';

// Three nodes, real devices of wireguard-go, and the decisions of libs/crypto about their keys: a rotation without the agent around it.

const MINUTE_MS = 60_000;
const ROTATION_MS = 30_000;
const STEP_MS = 50;
/** Longer than a key drains: an agent that lives shorter never sees the end of it. */
const RESTART_MS = 3_700;
const SEGMENT = `isthwg-${process.pid}-link`;

const store: TestStore = { target: 0, records: new Map(), single: new Map() };
let nodes: WireGuardNode[];
const stop = new AbortController();
let running: Promise<PromiseSettledResult<void>[]>;

beforeAll(async () => {
  nodes = [1, 2, 3].map((number) => new WireGuardNode(number, store));
  WireGuardNode.connect(nodes, SEGMENT);
  running = Promise.allSettled(nodes.map((node) => goOn(node)));
  await rotatedTo(1);
}, MINUTE_MS);

afterAll(async () => {
  stop.abort();
  const ends = await running;
  for (const node of nodes) await node.remove();
  execFileSync('ip', ['netns', 'del', SEGMENT]);
  expect(ends.filter(({ status }) => status === 'rejected')).toEqual([]);
}, MINUTE_MS);

/** A node's agent, until the end: it looks again and again, as often as an agent would. */
async function goOn(node: WireGuardNode, signal: AbortSignal = stop.signal): Promise<void> {
  while (!signal.aborted) {
    await node.step();
    await delay(systemClock, STEP_MS, signal).catch(() => undefined); // rejects only by abort
  }
}

/** Has the mesh rotate, and waits until all send by the new keys, and the old ones are gone from devices and disk. */
async function rotatedTo(target: number): Promise<void> {
  store.target = target;
  const device = deviceOf(target);
  const isDone = async (): Promise<boolean> => {
    const isOwn = nodes.every((node) => readdirSync(node.keys.path).join() === `epoch-${target}.key`);
    const isSent = nodes.every((node) => [...node.tx.values()].join() === `${device},${device}`);
    return isOwn && isSent && [...store.records.values()].every(({ epochs }) => epochs.length === 1);
  };
  const state = (): string => JSON.stringify([...store.records]);
  await waitUntil(isDone, { what: `epoch ${target}`, timeoutMs: ROTATION_MS, onTimeout: state });
}

/**
 * Packets that were not answered, by what ping prints. It ends with the answer that makes them 200, and does not wait for those that it has sent since: of
 * what it has to say in the end it counts them as lost.
 */
function missingIn(said: string): number[] {
  const answered = new Set([...said.matchAll(/icmp_seq=(\d+) /g)].map(([, serial]) => Number(serial)));
  const sent = Math.max(200, ...answered);
  return Array.from({ length: sent }, (_, i) => i + 1).filter((serial) => !answered.has(serial));
}

/** Pings between all pods while something goes on. @returns what each says of loss, when there was any */
async function lostWhile(work: () => Promise<void>): Promise<string[]> {
  const pairs = nodes.flatMap((from) => nodes.filter((to) => to !== from).map((to) => ({ from, to })));
  let isOver = false;
  const pinging = pairs.map(async ({ from, to }) => {
    const lost: string[] = [];
    while (!isOver) {
      const said = await from.run('ping', '-n', '-i', '0.005', '-c', '200', '-w', '30', '-I', from.pod, to.pod).catch(String);
      const missing = missingIn(said);
      if (missing.length > 0) lost.push(`${from.name} to ${to.name}: ${missing.join(', ')} of ${said}`);
    }
    return lost;
  });
  await work().finally(() => {
    isOver = true;
  });
  return (await Promise.all(pinging)).flat();
}

it(
  'goes through three epochs without a lost packet between any two pods',
  async () => {
    const lost = await lostWhile(async () => {
      for (const target of [2, 3, 4]) await rotatedTo(target);
    });
    expect(lost).toEqual([]);
  },
  2 * MINUTE_MS,
);

it(
  'goes on from what is there when its agents are started anew again and again',
  async () => {
    const lost = await lostWhile(async () => {
      const killing = setInterval(() => {
        for (const node of nodes) node.restart();
      }, RESTART_MS);
      await rotatedTo(5).finally(() => clearInterval(killing));
    }).catch((error: unknown) => [String(error)]);
    expect(lost).toEqual([]);
  },
  2 * MINUTE_MS,
);

describe('with a node that knows of no epochs', () => {
  let single: SingleKeyNode;
  const end = new AbortController();
  let runs: Promise<void>;

  beforeAll(async () => {
    single = new SingleKeyNode(4, store);
    single.join(nodes, SEGMENT);
    runs = goOn(single, end.signal);
    await served();
  }, MINUTE_MS);

  afterAll(async () => {
    end.abort();
    await runs;
    for (const node of nodes) node.part(single);
    await single.remove();
  }, MINUTE_MS);

  /** Waits until each node answers the one that knows of no epochs, and it them. */
  async function served(): Promise<void> {
    const answers = async (): Promise<boolean> => {
      const pings = nodes.map((node) => single.run('ping', '-q', '-c', '1', '-W', '1', '-I', single.pod, node.pod).catch(() => ''));
      return (await Promise.all(pings)).every((said) => said.includes(' 1 received'));
    };
    await waitUntil(answers, { what: 'all nodes to answer it', timeoutMs: ROTATION_MS });
  }

  it('at an odd epoch each has an even key for it, which is in no record', async () => {
    expect(nodes.map((node) => readdirSync(node.keys.path).sort())).toEqual(nodes.map(() => ['epoch-4.key', 'epoch-5.key']));
    expect(nodes.map(({ name }) => store.records.get(name)?.epochs.map(({ epoch }) => epoch))).toEqual(nodes.map(() => [5]));
    expect(nodes.map(({ name }) => store.records.get(name)?.blockedBy)).toEqual(nodes.map(() => [single.name]));
  });

  it(
    'goes to an even one when it is forced: nothing is lost but with that node, which has the new keys then',
    async () => {
      const lost = await lostWhile(async () => {
        store.target = 6;
        const isDone = async (): Promise<boolean> => nodes.every((node) => readdirSync(node.keys.path).join() === 'epoch-6.key');
        await waitUntil(isDone, { what: 'epoch 6', timeoutMs: ROTATION_MS });
        await served();
      });
      expect(lost).toEqual([]);
    },
    2 * MINUTE_MS,
  );
});

it('says what is wrong with a device, by its name, and takes one that is not there for none', async () => {
  const { wg } = nodes[0]!;
  expect(await wg.show('nowhere0')).toBeUndefined();
  await expect(wg.setUp('nowhere0', { privateKeyFile: '/dev/null', listenPort: 1, mark: 0 })).rejects.toMatchObject({
    code: 'WIREGUARD_DEVICE',
    object: 'nowhere0',
  });
});
