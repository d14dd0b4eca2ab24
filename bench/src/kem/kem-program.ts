import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { systemClock } from '@isthmus/core';
import {
  type Credential,
  createClusterCa,
  PairAgreements,
  type PairAnswer,
  PairExchangeClient,
  PairExchangeServer,
  PairSecretFolder,
  PairSecrets,
  systemRandomBytes,
  WireGuardKey,
} from '@isthmus/crypto';
import { type AskAll, CLUSTER, credentialOf, EPOCH, NODE, OTHERS, type OthersOptions, type OthersSaid, trustOf } from './exchange-end.ts';

/** Pairs that agree before anything is measured. */
const FIRST = 32;
/** As a node asks again. */
const AGAIN_MS = 1_000;

/** What a node does: begin with all others, or answer all of them. */
export interface MeasuredPart {
  /** Longest turn of the event loop, CPU milliseconds of the thread, collections included. */
  readonly longestTurnMs: number;
  /** CPU of the thread, and time that passed. */
  readonly cpuS: number;
  readonly wallS: number;
}

/** What `kem-program.ts` prints. */
export interface MeasuredKem {
  readonly asking: MeasuredPart;
  readonly answering: MeasuredPart;
  /** CPU of what both do of each pair without the network, microseconds: KEM, derivation and files. */
  readonly takeUs: number;
  readonly acceptUs: number;
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Does something, and watches each turn of the event loop meanwhile. */
async function watched(work: () => Promise<void>): Promise<MeasuredPart> {
  const [began, cpuBefore] = [performance.now(), cpuMs()];
  let [longestTurnMs, last, isOver] = [0, cpuBefore, false];
  const turn = (): void => {
    const now = cpuMs();
    longestTurnMs = Math.max(longestTurnMs, now - last);
    last = now;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  isOver = true;
  turn();
  return { longestTurnMs, cpuS: (cpuMs() - cpuBefore) / 1000, wallS: (performance.now() - began) / 1000 };
}

function publicKeys(count: number): string[] {
  return Array.from({ length: count }, () => WireGuardKey.generate(systemRandomBytes).publicKey);
}

/** A node among others that has just made a key of a new epoch. */
class KemNode {
  readonly key = publicKeys(1)[0]!;
  readonly secrets: PairSecrets;
  readonly #worker: Worker;
  readonly #options: OthersOptions;
  readonly #credential: Credential;

  private constructor(folder: string, options: Omit<OthersOptions, 'nodeKey'>, credential: Credential) {
    this.secrets = new PairSecrets(new PairSecretFolder(folder), true);
    this.#options = { ...options, nodeKey: this.key };
    this.#credential = credential;
    this.#worker = new Worker(new URL('./others.ts', import.meta.url), { workerData: this.#options });
  }

  static async make(folder: string): Promise<KemNode> {
    const ca = await createClusterCa({ cluster: CLUSTER, clock: systemClock });
    const node = new KemNode(folder, { ca }, await credentialOf(ca, NODE));
    await node.secrets.keep([EPOCH]);
    return node;
  }

  /** What the others say next. */
  async others(): Promise<OthersSaid> {
    return (await once(this.#worker, 'message'))[0] as OthersSaid;
  }

  /** As the lower node of each pair: all begin in one turn. */
  async askAll({ port }: Extract<OthersSaid, { port: number }>, keys: readonly string[]): Promise<void> {
    const client = new PairExchangeClient({
      placeOf: () => ({ address: '127.0.0.1', port }),
      credential: async () => this.#credential,
      trust: trustOf(this.#options.ca),
    });
    const missing = (): string[] => keys.filter((key) => !this.secrets.agreed(EPOCH, key));
    let begin = (): void => undefined;
    const agreed = new Promise<void>((resolve) => {
      let left = keys.length;
      const agreements = new PairAgreements(this.secrets, client, systemClock, () => --left === 0 && resolve());
      begin = () => {
        for (const peerKey of missing()) agreements.begin({ epoch: EPOCH, ownKey: this.key, peerKey, peer: `${CLUSTER}/${OTHERS}` });
      };
    });
    begin();
    // An attempt that came to nothing is made again.
    const again = setInterval(begin, AGAIN_MS);
    await agreed;
    clearInterval(again);
  }

  /** As the higher one of each. */
  async answerAll(keys: readonly string[]): Promise<void> {
    const server = new PairExchangeServer({
      address: '127.0.0.1',
      port: 0,
      credential: async () => this.#credential,
      trust: trustOf(this.#options.ca),
      accept: (_caller, request) => this.secrets.accept(request),
      onRefused: () => undefined,
    });
    const all: AskAll = { port: await server.listen(), keys };
    this.#worker.postMessage(all);
    await this.others();
    await server.close();
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Microseconds of CPU of each of many. */
async function each(count: number, work: (i: number) => Promise<unknown> | unknown): Promise<number> {
  const before = cpuMs();
  for (let i = 0; i < count; i++) await work(i);
  return ((cpuMs() - before) * 1000) / count;
}

/** @param folder where the node keeps its keys; whoever made it removes it */
async function main(peers: number, folder: string): Promise<MeasuredKem> {
  const node = await KemNode.make(folder);
  const said = await node.others();
  if (!('port' in said)) throw new Error('the others have not said where they are');
  // An agent has spoken to others long before.
  await node.askAll(said, publicKeys(FIRST));
  await node.answerAll(publicKeys(FIRST));
  const [asked, callers] = [publicKeys(peers), publicKeys(peers)];
  const asking = await watched(() => node.askAll(said, asked));
  const answering = await watched(() => node.answerAll(callers));
  await node.end();
  return { asking, answering, ...(await withoutNetwork(peers, folder)) };
}

/** Many callers of one callee, one after the other. */
async function withoutNetwork(peers: number, folder: string): Promise<Pick<MeasuredKem, 'takeUs' | 'acceptUs'>> {
  const [asks, answers] = ['asks', 'answers'].map((name) => new PairSecrets(new PairSecretFolder(join(folder, name)), true)) as [
    PairSecrets,
    PairSecrets,
  ];
  await Promise.all([asks.keep([EPOCH]), answers.keep([EPOCH])]);
  const [peerKey = '', ...ownKeys] = publicKeys(peers + 1);
  const proposals = ownKeys.map((ownKey) => asks.propose({ epoch: EPOCH, ownKey, peerKey }));
  const given: PairAnswer[] = [];
  const acceptUs = await each(peers, async (i) => given.push(await answers.accept(proposals[i]!.request)));
  const takeUs = await each(peers, (i) => proposals[i]!.confirm(given[i]!));
  return { takeUs, acceptUs };
}

console.log(JSON.stringify(await main(Number(process.argv[2]), process.argv[3] ?? '')));
