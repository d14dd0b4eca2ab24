import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Log, Notifier, systemClock } from '@isthmus/core';
import {
  agentProfile,
  type CaKeyPair,
  createClusterCa,
  newKeyAndRequest,
  PairSecretFolder,
  PairSecrets,
  signRequest,
  type WireGuardRecord,
} from '@isthmus/crypto';
import { KeyExchange } from './key-exchange.ts';

const EPOCH = 3;
const LOG = { warn: () => undefined, debug: () => undefined } as unknown as Log;
/** Of the loopback network, and nobody else's: the port is a fixed one. */
const NETWORK = `127.${(process.pid >> 8) & 0xff}.${process.pid & 0xff}`;

/** A node with all that it agrees on preshared keys by. */
class Node {
  readonly name: string;
  readonly address: string;
  readonly publicKey: string;
  readonly known = new Map<string, Node>();
  readonly changed = new Notifier();
  readonly secrets: PairSecrets;
  readonly exchange: KeyExchange;
  isBare = false;
  /** What it publishes as the hash of its KEM key, if not what it is; null: none. */
  hash: string | null | undefined;
  agreed = 0;
  /** Requests that came as far as the caller's record. */
  asked = 0;
  /** Whether it has whoever it agreed with as a peer. */
  installs = true;
  /** It waits for no record any longer. */
  isTired = false;

  constructor(
    name: string,
    serial: number,
    folder: string,
    cas: Record<string, CaKeyPair>,
    certificate: { certPem: string; keyPem: string },
  ) {
    this.name = name;
    this.address = `${NETWORK}.${serial}`;
    this.publicKey = Buffer.alloc(32, serial).toString('base64');
    this.secrets = new PairSecrets(new PairSecretFolder(folder), true);
    const caBundle = cas[name.split('/')[0]!]!.certPem;
    this.exchange = new KeyExchange({
      address: this.address,
      secrets: this.secrets,
      credential: {
        files: { read: async () => ({ certificates: [certificate.certPem], keyPem: certificate.keyPem, caBundle }) },
        caBundleOf: (cluster) => cas[cluster]?.certPem ?? '',
      },
      facts: {
        name,
        ownKey: (epoch) => (epoch === EPOCH ? this.publicKey : undefined),
        recordOf: (peer) => this.known.get(peer)?.record(),
        addressOf: (peer) => this.known.get(peer)?.address,
        isBare: () => this.isBare,
        until: async (holds, signal) => {
          this.asked++;
          await this.changed.until(() => this.isTired || holds(), signal);
          if (!holds()) throw new Error('it has waited for long enough');
        },
        untilInstalled: (_epoch, _publicKey, signal) => this.changed.until(() => this.installs, signal),
      },
      clock: systemClock,
      log: LOG,
      onAgreed: () => void this.agreed++,
    });
  }

  record(): WireGuardRecord {
    const kemKeyHash = this.hash === undefined ? this.secrets.kemKeyHashes().get(EPOCH) : this.hash;
    const hash = kemKeyHash ? { kemKeyHash } : {};
    return { epochs: [{ epoch: EPOCH, publicKey: this.publicKey, port: 51_872, ...hash }], minTx: 0, laggards: [] };
  }

  ask(peer: Node, peerKey = peer.publicKey): void {
    this.exchange.agreements.begin({ epoch: EPOCH, ownKey: this.publicKey, peerKey, peer: peer.name });
  }

  /** Resolves when an attempt with a peer has come to something, or to nothing. */
  async answered(peer: Node): Promise<string | undefined> {
    while (!this.secrets.agreed(EPOCH, peer.publicKey) && this.exchange.agreements.failureOf(peer.name) === undefined)
      await new Promise((resolve) => setImmediate(resolve));
    return this.exchange.agreements.failureOf(peer.name);
  }
}

describe('KeyExchange', () => {
  let root: string;
  let lower: Node;
  let higher: Node;
  const stop = { controller: new AbortController() };
  let running: Promise<void>[];

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'isthmus-exchange-'));
    const cas = {
      east: await createClusterCa({ cluster: 'east', clock: systemClock }),
      west: await createClusterCa({ cluster: 'west', clock: systemClock }),
    };
    const node = async (cluster: keyof typeof cas, name: string, serial: number): Promise<Node> => {
      const { keyPem, csrPem } = await newKeyAndRequest({ commonName: name });
      const certPem = await signRequest({ ca: cas[cluster], csrPem, profile: agentProfile(cluster, name), clock: systemClock });
      const made = new Node(`${cluster}/${name}`, serial, join(root, `${serial}`), cas, { certPem, keyPem });
      await made.secrets.keep([EPOCH]);
      return made;
    };
    [lower, higher] = [await node('east', 'n1', 1), await node('west', 'n1', 2)];
    for (const [one, other] of [
      [lower, higher],
      [higher, lower],
    ] as const)
      one.known.set(other.name, other);
    stop.controller = new AbortController();
    running = [lower, higher].map(({ exchange }) => exchange.run(stop.controller.signal));
  });
  afterEach(async () => {
    stop.controller.abort();
    await Promise.all(running);
    await rm(root, { recursive: true });
  });

  it('gives nodes of two clusters one preshared key, and tells both', async () => {
    lower.ask(higher);
    expect(await lower.answered(higher)).toBeUndefined();
    const [one, other] = [
      await readFile(lower.secrets.file(EPOCH, higher.publicKey)!),
      await readFile(higher.secrets.file(EPOCH, lower.publicKey)!),
    ];
    expect([one.length, one.equals(other), lower.agreed, higher.agreed]).toEqual([44, true, 1, 1]);
  });

  it('waits for the record of a caller that is ahead of its own store', async () => {
    higher.known.delete(lower.name);
    lower.ask(higher);
    while (higher.asked === 0) await new Promise((resolve) => setImmediate(resolve));
    higher.known.set(lower.name, lower);
    higher.changed.notify();
    expect(await lower.answered(higher)).toBeUndefined();
  });

  it.each([
    ['when it has the caller as a peer', true],
    ['after a while when it does not get it', false],
  ])('answers %s', async (_, comes) => {
    higher.installs = false;
    lower.ask(higher);
    while (higher.agreed === 0) await new Promise((resolve) => setImmediate(resolve));
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(lower.agreed).toBe(0);
    higher.installs = comes;
    higher.changed.notify();
    expect(await lower.answered(higher)).toBeUndefined();
  });

  it('waits for the KEM key of a caller that has just made another one', async () => {
    lower.hash = higher.secrets.kemKeyHashes().get(EPOCH)!;
    lower.ask(higher);
    while (higher.asked === 0) await new Promise((resolve) => setImmediate(resolve));
    lower.hash = undefined;
    higher.changed.notify();
    expect(await lower.answered(higher)).toBeUndefined();
  });

  it.each<[string, () => string | null]>([
    ['another hash than that of the key that it sends', () => higher.secrets.kemKeyHashes().get(EPOCH)!],
    ['no hash', () => null],
  ])('agrees on none with a caller that publishes %s', async (_, hash) => {
    lower.hash = hash();
    lower.ask(higher);
    while (higher.asked === 0) await new Promise((resolve) => setImmediate(resolve));
    higher.isTired = true;
    higher.changed.notify();
    expect(await lower.answered(higher)).toContain('does not publish these keys of epoch 3');
    expect([lower, higher].map(({ secrets }, i) => secrets.agreed(EPOCH, [higher, lower][i]!.publicKey))).toEqual([false, false]);
  });

  it.each<[string, string, () => void]>([
    ['when the higher one asks', 'the lower one asks', () => higher.ask(lower)],
    [
      'when the session of the pair does without',
      'has none already',
      () => {
        higher.isBare = true;
        lower.ask(higher);
      },
    ],
    ['for another key of the callee than it has', 'has another key of epoch 3', () => lower.ask(higher, lower.publicKey)],
  ])('agrees on none %s', async (_, why, ask) => {
    ask();
    const [asker, callee] = why === 'the lower one asks' ? [higher, lower] : [lower, higher];
    expect(await asker.answered(callee)).toContain(why);
    expect(asker.secrets.agreed(EPOCH, callee.publicKey)).toBe(false);
  });
});
