import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { PairSecretFolder } from '../../adapters/pair-secret-folder.ts';
import { secretFromBase64 } from '../secret-base64.ts';
import { WireGuardKey } from '../wireguard-key.ts';
import { PairAgreements, type WantedAgreement } from './pair-agreements.ts';
import type { PairExchange } from './pair-exchange.ts';
import { PairSecrets } from './pair-secrets.ts';

const key = (byte: number): string => WireGuardKey.generate((length) => new Uint8Array(length).fill(byte)).publicKey;
const [LOWER, HIGHER] = [key(1), key(2)];
const EPOCH = 7;
const PAIR = { epoch: EPOCH, ownKey: LOWER, peerKey: HIGHER };

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
  const kemKeyOf = (secrets: PairSecrets): string => secrets.kemKeys().get(EPOCH)!;
  const pskOf = async (secrets: PairSecrets, peer: string): Promise<Buffer> =>
    secretFromBase64(await readFile(secrets.file(EPOCH, peer)!)) as Buffer;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'isthmus-pairs-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it('gives both nodes one key, in files that only their owner reads', async () => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const proposal = lower.propose(PAIR, kemKeyOf(higher));
    expect([lower.agreed(EPOCH, HIGHER), lower.file(EPOCH, HIGHER)]).toEqual([false, undefined]);
    await proposal.confirm(await higher.accept(proposal.request));
    proposal.drop();
    const psk = await pskOf(lower, HIGHER);
    expect([psk.length, psk.equals(await pskOf(higher, LOWER)), psk.equals(Buffer.alloc(32))]).toEqual([32, true, false]);
    const modes = await Promise.all([lower.file(EPOCH, HIGHER)!, join(folderOf('higher'), 'epoch-7.pairs')].map((path) => stat(path)));
    expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o600, 0o700]);
  });

  it('keeps nothing when the other one made another key of it: the ciphertext was changed on the way', async () => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const { request, confirm } = lower.propose(PAIR, kemKeyOf(higher));
    const ciphertext = Buffer.from(request.ciphertext);
    ciphertext[9]! ^= 1;
    const confirmation = await higher.accept({ ...request, ciphertext });
    await expect(confirm(confirmation)).rejects.toMatchObject({ code: 'WIREGUARD_PSK_DIFFERS' });
    expect(lower.agreed(EPOCH, HIGHER)).toBe(false);
  });

  it.each([0, 31, 33])('takes no confirmation of %i bytes', async (length) => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    await expect(lower.propose(PAIR, kemKeyOf(higher)).confirm(new Uint8Array(length))).rejects.toMatchObject({
      code: 'WIREGUARD_PSK_DIFFERS',
    });
  });

  it('answers only in epochs that it has a key of', async () => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const { request } = lower.propose(PAIR, kemKeyOf(higher));
    await expect(higher.accept({ ...request, epoch: 8 })).rejects.toMatchObject({ code: 'WIREGUARD_KEM' });
    await expect(higher.accept({ ...request, ciphertext: request.ciphertext.subarray(1) })).rejects.toMatchObject({
      code: 'WIREGUARD_KEM',
    });
  });

  it('goes on after a restart with what it has, and forgets epochs that have ended', async () => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const proposal = lower.propose(PAIR, kemKeyOf(higher));
    await proposal.confirm(await higher.accept(proposal.request));
    const again = secretsOf('lower');
    await again.keep([EPOCH, 8]);
    expect([again.agreed(EPOCH, HIGHER), kemKeyOf(again)]).toEqual([true, kemKeyOf(lower)]);
    await again.keep([8]);
    expect([again.agreed(EPOCH, HIGHER), await readdir(folderOf('lower'))]).toEqual([false, ['epoch-8.pairs']]);
  });

  it('uses what it has agreed on, and agrees on nothing new, once that is turned off', async () => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const proposal = lower.propose(PAIR, kemKeyOf(higher));
    await proposal.confirm(await higher.accept(proposal.request));
    const off = secretsOf('lower', false);
    await off.keep([EPOCH, 8]);
    expect([off.agreed(EPOCH, HIGHER), off.kemKeys().size]).toEqual([true, 0]);
  });

  it.each<[string, (file: string) => Promise<void>]>([
    ['is cut short', (file) => writeFile(file, 'short')],
    ['is gone', (file) => rm(file)],
  ])('makes another KEM key when the file of the old one %s', async (_, harm) => {
    const before = kemKeyOf(await started('lower'));
    await harm(join(folderOf('lower'), 'epoch-7.pairs', 'kem.seed'));
    const after = kemKeyOf(await started('lower'));
    expect([after.length, after === before]).toEqual([before.length, false]);
  });

  it('saves nothing of an epoch that ended while it was agreed on', async () => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const proposal = lower.propose(PAIR, kemKeyOf(higher));
    const confirmation = await higher.accept(proposal.request);
    await lower.keep([8]);
    await proposal.confirm(confirmation);
    expect([lower.agreed(EPOCH, HIGHER), await readdir(folderOf('lower'))]).toEqual([false, ['epoch-8.pairs']]);
  });

  it('shows no secret to who looks at it', async () => {
    const [lower, higher] = [await started('lower'), await started('higher')];
    const proposal = lower.propose(PAIR, kemKeyOf(higher));
    await proposal.confirm(await higher.accept(proposal.request));
    const psk = await pskOf(higher, LOWER);
    const shown = inspect([lower, higher, proposal], { showHidden: true, depth: 9 });
    const asBuffersAreShown = psk.toString('hex').slice(0, 40).match(/../g)!.join(' ');
    for (const text of [psk.toString('base64'), psk.toString('hex'), asBuffersAreShown]) expect(shown).not.toContain(text);
  });

  describe('PairAgreements', () => {
    /** Another node, which answers when it is told to. */
    const slow = () => {
      const asked: { peer: string; answer: (with_: Uint8Array) => void; fail: (error: unknown) => void }[] = [];
      const exchange: PairExchange = {
        ask: (peer) => new Promise((answer, fail) => asked.push({ peer, answer, fail })),
      };
      return { exchange, asked };
    };
    const wanted = (peer: number, kemKey: string): WantedAgreement => ({ ...PAIR, peerKey: key(peer), peer: `east/n${peer}`, kemKey });
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    };

    it('asks some at a time, each pair once, and goes on with the next when one has failed', async () => {
      const [lower, higher] = [await started('lower'), await started('higher')];
      const { exchange, asked } = slow();
      const agreements = new PairAgreements(lower, exchange, () => undefined);
      for (let peer = 10; peer < 20; peer++) {
        agreements.begin(wanted(peer, kemKeyOf(higher)));
        agreements.begin(wanted(peer, kemKeyOf(higher)));
      }
      expect(asked.map(({ peer }) => peer)).toEqual(['east/n10', 'east/n11', 'east/n12', 'east/n13']);
      asked[2]!.fail(new Error('no way there'));
      await turns();
      expect(asked.slice(4).map(({ peer }) => peer)).toEqual(['east/n14']);
      expect([agreements.failureOf('east/n12'), agreements.failureOf('east/n13')]).toEqual(['no way there', undefined]);
      agreements.begin(wanted(12, kemKeyOf(higher)));
      for (let at = 0; at < asked.length; at++) {
        asked[at]!.fail(new Error('later'));
        await turns();
      }
      expect(asked.map(({ peer }) => peer).slice(-1)).toEqual(['east/n12']);
    });

    it('tells when there is one more, and why there is not', async () => {
      const [lower, higher] = [await started('lower'), await started('higher')];
      let settled = 0;
      const exchange: PairExchange = { ask: (_, request) => higher.accept(request) };
      const agreements = new PairAgreements(lower, exchange, () => void settled++);
      agreements.begin({ ...PAIR, peer: 'east/n1', kemKey: kemKeyOf(higher) });
      agreements.begin(wanted(9, 'AAAA'));
      const file = (): boolean => lower.agreed(EPOCH, HIGHER) && agreements.failureOf('east/n9') !== undefined;
      while (!file()) await turns();
      expect([settled, agreements.failureOf('east/n9')]).toEqual([1, 'no ML-KEM-768 public key: 3 bytes']);
    });
  });
});
