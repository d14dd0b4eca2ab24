import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ManualClock } from '@isthmus/core';
import { PairSecretFolder } from '../../adapters/pair-secret-folder.ts';
import { secretFromBase64 } from '../secret-base64.ts';
import { WireGuardKey } from '../wireguard-key.ts';
import { PairAgreements, type WantedAgreement } from './pair-agreements.ts';
import type { PairAnswer, PairExchange, PairRequest } from './pair-exchange.ts';
import { PairSecrets } from './pair-secrets.ts';

const key = (byte: number): string => WireGuardKey.generate((length) => new Uint8Array(length).fill(byte)).publicKey;
const [LOWER, HIGHER] = [key(1), key(2)];
const EPOCH = 7;
const PAIR = { epoch: EPOCH, ownKey: LOWER, peerKey: HIGHER };

function changed(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  copy[9]! ^= 1;
  return copy;
}

async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[500]! ^= 1;
  await writeFile(file, bytes);
}

describe('PairSecrets', () => {
  let root: string;
  const folderOf = (node: string): string => join(root, node);
  const secretsOf = (node: string, makesKeys = true): PairSecrets => new PairSecrets(new PairSecretFolder(folderOf(node)), makesKeys);
  /** Nodes that have keys of the epoch. */
  const started = async (node: string): Promise<PairSecrets> => {
    const secrets = secretsOf(node);
    await secrets.keep([EPOCH]);
    return secrets;
  };
  const hashOf = (secrets: PairSecrets): string => secrets.kemKeyHashes().get(EPOCH)!;
  const pskOf = async (secrets: PairSecrets, peer: string): Promise<Buffer> =>
    secretFromBase64(await readFile(secrets.file(EPOCH, peer)!)) as Buffer;
  /** The lower node asks, and hears the answer. */
  const agree = async (lower: PairSecrets, higher: PairSecrets): Promise<void> => {
    const { request, confirm } = lower.propose(PAIR);
    await confirm(await higher.accept(request));
  };

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'isthmus-pairs-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it('gives both nodes one key, in files that only their owner reads', async () => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const { request, confirm } = lower.propose(PAIR);
    const answer = await higher.accept(request);
    expect([lower.agreed(EPOCH, HIGHER), lower.file(EPOCH, HIGHER)]).toEqual([false, undefined]);
    await confirm(answer);
    const psk = await pskOf(lower, HIGHER);
    expect([psk.length, psk.equals(await pskOf(higher, LOWER)), psk.equals(Buffer.alloc(32))]).toEqual([32, true, false]);
    const folder = join(folderOf('higher'), 'epoch-7.pairs');
    const files = (await readdir(folder)).map((name) => join(folder, name));
    const modes = await Promise.all([lower.file(EPOCH, HIGHER)!, folder, ...files].map((path) => stat(path)));
    expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o600, 0o700, 0o600, 0o600, 0o600]);
  });

  it('asks with the key whose hash it publishes', async () => {
    const lower = await started('lower');
    const { kemKey } = lower.propose(PAIR).request;
    expect(createHash('sha256').update(kemKey).digest('base64')).toBe(hashOf(lower));
  });

  it.each<[string, (answer: PairAnswer) => PairAnswer, string]>([
    [
      'a ciphertext that was changed on the way',
      ({ ciphertext, ...rest }) => ({ ...rest, ciphertext: changed(ciphertext) }),
      'WIREGUARD_PSK_DIFFERS',
    ],
    ['a ciphertext that is too short', ({ ciphertext, ...rest }) => ({ ...rest, ciphertext: ciphertext.subarray(1) }), 'WIREGUARD_KEM'],
    ['another confirmation', ({ confirmation, ...rest }) => ({ ...rest, confirmation: changed(confirmation) }), 'WIREGUARD_PSK_DIFFERS'],
    ['no confirmation', (answer) => ({ ...answer, confirmation: new Uint8Array(0) }), 'WIREGUARD_PSK_DIFFERS'],
    ['a confirmation of 31 bytes', (answer) => ({ ...answer, confirmation: answer.confirmation.subarray(1) }), 'WIREGUARD_PSK_DIFFERS'],
    ['a confirmation of 33 bytes', (answer) => ({ ...answer, confirmation: new Uint8Array(33) }), 'WIREGUARD_PSK_DIFFERS'],
  ])('keeps nothing of %s, and gets it when it asks again', async (_, harm, code) => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const { request, confirm } = lower.propose(PAIR);
    await expect(confirm(harm(await higher.accept(request)))).rejects.toMatchObject({ code });
    expect(lower.agreed(EPOCH, HIGHER)).toBe(false);
    await agree(lower, higher);
    expect((await pskOf(lower, HIGHER)).equals(await pskOf(higher, LOWER))).toBe(true);
  });

  it('answers only in epochs that it has a key of, and whom it can encapsulate for', async () => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const { request } = lower.propose(PAIR);
    for (const other of [{ epoch: 8 }, { kemKey: request.kemKey.subarray(1) }])
      await expect(higher.accept({ ...request, ...other })).rejects.toMatchObject({ code: 'WIREGUARD_KEM' });
    expect(() => lower.propose({ ...PAIR, epoch: 8 })).toThrow(expect.objectContaining({ code: 'WIREGUARD_KEM' }));
    expect(higher.agreed(EPOCH, LOWER)).toBe(false);
  });

  it.each<[string, { asks: boolean; answers: boolean }]>([
    ['neither was started again', { asks: false, answers: false }],
    ['who asks was started again', { asks: true, answers: false }],
    ['who answers was started again', { asks: false, answers: true }],
    ['both were started again', { asks: true, answers: true }],
  ])('keeps what it has answered with when the answer was lost, and says it again: %s', async (_, restarted) => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const lost = await higher.accept(lower.propose(PAIR).request);
    const before = await pskOf(higher, LOWER);
    const [asks, answers] = [restarted.asks ? await started('lower') : lower, restarted.answers ? await started('higher') : higher];
    const { request, confirm } = asks.propose(PAIR);
    const answer = await answers.accept(request);
    expect(answer).toEqual(lost);
    await confirm(answer);
    expect([await pskOf(asks, HIGHER), await pskOf(answers, LOWER)]).toEqual([before, before]);
  });

  it('says one thing to a caller that asks many times at once', async () => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const { request, confirm } = lower.propose(PAIR);
    const answers = await Promise.all(Array.from({ length: 8 }, () => higher.accept(request)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    await confirm(answers[0]!);
    expect((await pskOf(lower, HIGHER)).equals(await pskOf(higher, LOWER))).toBe(true);
  });

  it.each<[string, (folder: string, name: string) => Promise<void>]>([
    ['the answer', (folder, name) => rm(join(folder, `${name}.answer`))],
    ['half of the answer', (folder, name) => truncate(join(folder, `${name}.answer`), 100)],
    ['a byte of the answer', (folder, name) => flip(join(folder, `${name}.answer`))],
    ['the preshared key', (folder, name) => rm(join(folder, `${name}.psk`))],
    ['the preshared key to another one', (folder, name) => writeFile(join(folder, `${name}.psk`), Buffer.alloc(32, 9).toString('base64'))],
  ])('makes another secret when it has lost %s', async (_, harm) => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const lost = await higher.accept(lower.propose(PAIR).request);
    await harm(join(folderOf('higher'), 'epoch-7.pairs'), Buffer.from(LOWER, 'base64').toString('base64url'));
    const { request, confirm } = lower.propose(PAIR);
    const answer = await higher.accept(request);
    expect(answer.ciphertext).not.toEqual(lost.ciphertext);
    await confirm(answer);
    expect((await pskOf(lower, HIGHER)).equals(await pskOf(higher, LOWER))).toBe(true);
  });

  it.each<[string, Partial<PairRequest> | 'kemKey']>([
    ['KEM key', 'kemKey'],
    ['key of its own', { calleeKey: key(3) }],
  ])('makes another secret for another %s', async (_, change) => {
    const [lower, higher, other] = [await started('lower'), await started('higher'), await started('other')];
    const { request } = lower.propose(PAIR);
    const first = await higher.accept(request);
    const again = await higher.accept({ ...request, ...(change === 'kemKey' ? { kemKey: other.propose(PAIR).request.kemKey } : change) });
    expect(again.ciphertext).not.toEqual(first.ciphertext);
  });

  it('goes on after a restart with what it has, and forgets epochs that have ended', async () => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    await agree(lower, higher);
    for (const [name, peer, before] of [
      ['lower', HIGHER, lower],
      ['higher', LOWER, higher],
    ] as const) {
      const again = secretsOf(name);
      await again.keep([EPOCH, 8]);
      expect([again.agreed(EPOCH, peer), hashOf(again)]).toEqual([true, hashOf(before)]);
      await again.keep([8]);
      expect([again.agreed(EPOCH, peer), await readdir(folderOf(name))]).toEqual([false, ['epoch-8.pairs']]);
    }
  });

  it('uses what it has agreed on, and agrees on nothing new, once that is turned off', async () => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    await agree(lower, higher);
    const off = secretsOf('lower', false);
    await off.keep([EPOCH, 8]);
    expect([off.agreed(EPOCH, HIGHER), off.kemKeyHashes().size]).toEqual([true, 0]);
  });

  it.each<[string, (file: string) => Promise<void>]>([
    ['is cut short', (file) => writeFile(file, 'short')],
    ['is gone', (file) => rm(file)],
  ])('makes another KEM key when the file of the old one %s', async (_, harm) => {
    const before = hashOf(await started('lower'));
    await harm(join(folderOf('lower'), 'epoch-7.pairs', 'kem.seed'));
    const after = hashOf(await started('lower'));
    expect([after.length, after === before]).toEqual([before.length, false]);
  });

  it('saves nothing of an epoch that ended while it was agreed on', async () => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const { request, confirm } = lower.propose(PAIR);
    const answer = await higher.accept(request);
    await lower.keep([8]);
    await confirm(answer);
    expect([lower.agreed(EPOCH, HIGHER), await readdir(folderOf('lower'))]).toEqual([false, ['epoch-8.pairs']]);
  });

  it('leaves no secret of an epoch that ended while it was written, and gives no answer', async () => {
    const lower = await started('lower');
    /** A folder whose epoch ends just when a preshared key has come to it. */
    class Slow extends PairSecretFolder {
      override async savePair(...args: Parameters<PairSecretFolder['savePair']>): Promise<void> {
        await higher.drop(EPOCH);
        await super.savePair(...args);
      }
    }
    const higher: PairSecrets = new PairSecrets(new Slow(folderOf('higher')), true);
    await higher.keep([EPOCH]);
    await expect(higher.accept(lower.propose(PAIR).request)).rejects.toMatchObject({ code: 'WIREGUARD_KEM' });
    expect(await readdir(folderOf('higher'), { recursive: true })).toEqual(['epoch-7.pairs']);
    expect(higher.agreed(EPOCH, LOWER)).toBe(false);
  });

  it('shows no secret to who looks at it', async () => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const proposal = lower.propose(PAIR);
    const answer = await higher.accept(proposal.request);
    await proposal.confirm(answer);
    const psk = await pskOf(higher, LOWER);
    const folder = join(folderOf('higher'), 'epoch-7.pairs');
    const kept = await readFile(join(folder, (await readdir(folder)).find((name) => name.endsWith('.answer'))!));
    expect(kept.includes(psk)).toBe(false);
    const shown = inspect([lower, higher, proposal, answer], { showHidden: true, depth: 9 });
    const asBuffersAreShown = psk.toString('hex').slice(0, 40).match(/../g)!.join(' ');
    for (const text of [psk.toString('base64'), psk.toString('hex'), asBuffersAreShown]) expect(shown).not.toContain(text);
  });

  describe('PairAgreements', () => {
    /** Another node, which answers when it is told to. */
    const slow = () => {
      const asked: { peer: string; answer: (with_: PairAnswer) => void; fail: (error: unknown) => void }[] = [];
      const exchange: PairExchange = {
        ask: (peer) => new Promise((answer, fail) => asked.push({ peer, answer, fail })),
      };
      return { exchange, asked };
    };
    const wanted = (peer: number): WantedAgreement => ({ ...PAIR, peerKey: key(peer), peer: `east/n${peer}` });
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    };

    it('asks some at a time, each pair once, and goes on with the next when one has failed', async () => {
      const lower = await started('lower');
      const { exchange, asked } = slow();
      const agreements = new PairAgreements(lower, exchange, new ManualClock(), () => undefined);
      const firstPeers = Array.from({ length: 16 }, (_, i) => `east/n${10 + i}`);
      for (let peer = 10; peer < 30; peer++) {
        agreements.begin(wanted(peer));
        agreements.begin(wanted(peer));
      }
      expect(asked.map(({ peer }) => peer)).toEqual(firstPeers);
      asked[2]!.fail(new Error('no way there'));
      await turns();
      expect(asked.slice(16).map(({ peer }) => peer)).toEqual(['east/n26']);
      expect([agreements.failureOf('east/n12'), agreements.failureOf('east/n13')]).toEqual(['no way there', undefined]);
      agreements.begin(wanted(12));
      for (let at = 0; at < asked.length; at++) {
        asked[at]!.fail(new Error('later'));
        await turns();
      }
      expect(asked.map(({ peer }) => peer).slice(-1)).toEqual(['east/n12']);
    });

    it('does not wait for those who answer late, but for a limit', async () => {
      const lower = await started('lower');
      const { exchange, asked } = slow();
      const clock = new ManualClock();
      const agreements = new PairAgreements(lower, exchange, clock, () => undefined);
      for (let peer = 0; peer < 200; peer++) agreements.begin(wanted(peer));
      const counts = [asked.length];
      for (let i = 0; i < 9; i++) {
        clock.advance(50);
        counts.push(asked.length);
      }
      expect(counts).toEqual([16, 32, 48, 64, 80, 96, 112, 128, 128, 128]);
      for (const { fail } of asked.slice(0, 20)) fail(new Error('late'));
      await turns();
      expect(asked).toHaveLength(128 + 16);
    });

    it('tells when there is one more, and why there is not', async () => {
      const [lower, higher] = [await started('lower'), await started('higher')];
      let settled = 0;
      const exchange: PairExchange = { ask: (_, request) => higher.accept(request) };
      const agreements = new PairAgreements(lower, exchange, new ManualClock(), () => void settled++);
      agreements.begin({ ...PAIR, peer: 'east/n1' });
      agreements.begin({ ...wanted(9), epoch: 8 });
      const file = (): boolean => lower.agreed(EPOCH, HIGHER) && agreements.failureOf('east/n9') !== undefined;
      while (!file()) await turns();
      expect([settled, agreements.failureOf('east/n9')]).toEqual([1, 'this node has no KEM key of epoch 8']);
    });
  });
});
