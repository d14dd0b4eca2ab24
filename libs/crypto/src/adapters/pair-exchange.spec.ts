import { connect } from 'node:tls';
import { CodedError, systemClock } from '@isthmus/core';
import type { Credential } from '../join/credential-keeper.ts';
import { agentProfile, type CertificateProfile, clientProfile } from '../pki/certificate-profile.ts';
import { newKeyAndRequest } from '../pki/certificate-request.ts';
import { type CaKeyPair, createClusterCa } from '../pki/cluster-ca.ts';
import { signRequest } from '../pki/sign-request.ts';
import type { PairAnswer, PairRequest } from '../wireguard/preshared/pair-exchange.ts';
import { WIREGUARD_KEM } from '../wireguard/wireguard.errors.ts';
import { PairExchangeClient } from './pair-exchange-client.ts';
import { PairExchangeServer } from './pair-exchange-server.ts';

const ANSWER: PairAnswer = { ciphertext: Buffer.alloc(1088, 3), confirmation: Buffer.alloc(32, 7) };
const key = (byte: number): string => Buffer.alloc(32, byte).toString('base64');
const REQUEST: PairRequest = { epoch: 7, callerKey: key(1), calleeKey: key(2), kemKey: Buffer.alloc(1184, 4) };
const CALLEE = 'west/n2';

describe('an exchange of preshared keys', () => {
  let cas: Record<string, CaKeyPair>;
  let server: PairExchangeServer;
  let port: number;
  let callee: Credential;
  let reads: () => Promise<Credential>;
  let accept: (caller: string, request: PairRequest) => Promise<PairAnswer>;
  const refused: [string, string][] = [];
  const trust = { clock: systemClock, caBundleOf: async (cluster: string) => cas[cluster]?.certPem ?? '' };

  const credential = async (signer: string, profile: CertificateProfile): Promise<Credential> => {
    const { keyPem, csrPem } = await newKeyAndRequest({ commonName: 'x' });
    const certificate = await signRequest({ ca: cas[signer]!, csrPem, profile, clock: systemClock });
    return { certificates: [certificate], keyPem, caBundle: cas[signer]!.certPem };
  };
  const ask = async (caller: Credential, { peer = CALLEE, trusts = trust }: { peer?: string; trusts?: typeof trust } = {}) =>
    new PairExchangeClient({ placeOf: () => ({ address: '127.0.0.1', port }), credential: async () => caller, trust: trusts }).ask(
      peer,
      REQUEST,
    );
  /** What comes back for bytes that no client of ours would send. */
  const raw = async (caller: Credential, text: string): Promise<string> => {
    const { certificates, keyPem: own } = caller;
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, cert: certificates[0]!, key: own });
    socket.end(text);
    let answer = '';
    for await (const part of socket) answer += part;
    return answer;
  };

  beforeAll(async () => {
    const [east, west] = [
      await createClusterCa({ cluster: 'east', clock: systemClock }),
      await createClusterCa({ cluster: 'west', clock: systemClock }),
    ];
    cas = { east, west };
  });
  beforeEach(async () => {
    callee = await credential('west', agentProfile('west', 'n2'));
    accept = async () => ANSWER;
    reads = async () => callee;
    refused.length = 0;
    server = new PairExchangeServer({
      address: '127.0.0.1',
      port: 0,
      credential: () => reads(),
      trust,
      accept: (caller, request) => accept(caller, request),
      onRefused: (caller, error) => refused.push([caller, (error as CodedError).code]),
    });
    port = await server.listen();
  });
  afterEach(() => server.close());

  it('hears some at a time, and the others in their turn', async () => {
    let [now, most] = [0, 0];
    reads = async () => {
      most = Math.max(most, ++now);
      // Long enough for others to come in, were they let in.
      for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
      return callee;
    };
    accept = async () => {
      now--;
      return ANSWER;
    };
    const caller = await credential('east', agentProfile('east', 'n1'));
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(caller)));
    expect(answers).toHaveLength(30);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('lets nobody wait because somebody else is not answered yet', async () => {
    const answers: (() => void)[] = [];
    accept = () => new Promise((resolve) => answers.push(() => resolve(ANSWER)));
    const caller = await credential('east', agentProfile('east', 'n1'));
    const asked = Array.from({ length: 20 }, () => ask(caller));
    while (answers.length < asked.length) await new Promise((resolve) => setImmediate(resolve));
    for (const answer of answers) answer();
    expect(await Promise.all(asked)).toHaveLength(20);
  });

  it('carries a request across clusters and says who asks', async () => {
    let seen: unknown;
    accept = async (caller, request) => {
      seen = [caller, request];
      return ANSWER;
    };
    expect(await ask(await credential('east', agentProfile('east', 'n1')))).toEqual(ANSWER);
    expect(seen).toEqual(['east/n1', REQUEST]);
  });

  it('takes a certificate that was renewed for the next caller', async () => {
    const caller = await credential('east', agentProfile('east', 'n1'));
    await ask(caller);
    callee = await credential('west', agentProfile('west', 'other'));
    await expect(ask(caller)).rejects.toMatchObject({ code: 'PAIR_EXCHANGE', message: expect.stringContaining('west/other') });
  });

  it('tells the caller why it is refused', async () => {
    accept = async () => {
      throw new CodedError(WIREGUARD_KEM, 'no such epoch');
    };
    await expect(ask(await credential('east', agentProfile('east', 'n1')))).rejects.toMatchObject({
      code: 'WIREGUARD_KEM',
      message: 'no such epoch',
    });
    expect(refused).toEqual([['east/n1', 'WIREGUARD_KEM']]);
  });

  it.each<[string, string, CertificateProfile, string]>([
    ["whose certificate another cluster's CA signed", 'west', agentProfile('east', 'n1'), 'CERTIFICATE_WRONG_CA'],
    ['whose cluster is not known', 'east', agentProfile('north', 'n1'), 'CERTIFICATE_WRONG_CA'],
    ['that is no node', 'east', clientProfile('admin-east'), 'CERTIFICATE_NAME'],
    ['that is called other than it names itself', 'east', { ...agentProfile('east', 'n1'), commonName: 'agent-n2' }, 'CERTIFICATE_NAME'],
    ['whose certificate is only for servers', 'east', { ...agentProfile('east', 'n1'), usages: ['server'] }, 'CERTIFICATE_USAGE'],
  ])('refuses a caller %s', async (_, signer, profile, code) => {
    accept = () => Promise.reject(new Error('must not be reached'));
    await expect(ask(await credential(signer, profile))).rejects.toMatchObject({ code });
    expect(refused.map(([, why]) => why)).toEqual([code]);
  });

  it('says nothing to whoever answers instead of the node', async () => {
    const asked: string[] = [];
    accept = async (caller) => {
      asked.push(caller);
      return ANSWER;
    };
    const caller = await credential('east', agentProfile('east', 'n1'));
    await expect(ask(caller, { peer: 'west/n3' })).rejects.toMatchObject({ code: 'PAIR_EXCHANGE' });
    // The right name, and the CA of another cluster.
    callee = await credential('east', agentProfile('west', 'n2'));
    await expect(ask(caller)).rejects.toMatchObject({ code: 'PAIR_EXCHANGE' });
    callee = await credential('west', { ...agentProfile('west', 'n2'), usages: ['client'] });
    await expect(ask(caller)).rejects.toMatchObject({ code: 'PAIR_EXCHANGE' });
    callee = await credential('west', { ...clientProfile('nobody'), usages: ['server'] });
    await expect(ask(caller)).rejects.toMatchObject({ code: 'CERTIFICATE_NAME' });
    expect(asked).toEqual([]);
  });

  it('does not ask a cluster whose CAs are not known, nor where nobody listens', async () => {
    const caller = await credential('east', agentProfile('east', 'n1'));
    await expect(ask(caller, { peer: 'north/n1' })).rejects.toMatchObject({
      code: 'PAIR_EXCHANGE',
      message: expect.stringContaining('CAs'),
    });
    await server.close();
    await expect(ask(caller)).rejects.toMatchObject({ code: 'PAIR_EXCHANGE', message: expect.stringContaining('ECONNREFUSED') });
    port = await server.listen();
  });

  const http = (body: string, line = 'POST /v1/preshared-keys HTTP/1.1'): string =>
    `${line}\r\nhost: x\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
  const json = (change: object): string => JSON.stringify({ ...REQUEST, kemKey: 'AAAA', ...change });

  it.each<[string, string]>([
    ['no JSON', http('{')],
    ['an epoch that is none', http(json({ epoch: 0 }))],
    ['a key that is none', http(json({ callerKey: 'short' }))],
    ['a KEM key that is no base64', http(json({ kemKey: '*' }))],
    ['what has no KEM key', http(json({ kemKey: undefined }))],
    ['a body that is too long', http('x'.repeat(9_000))],
    ['another path', http(json({}), 'POST /v1/other HTTP/1.1')],
    ['another method', http('', 'GET /v1/preshared-keys HTTP/1.1')],
  ])('refuses %s', async (_, text) => {
    accept = () => Promise.reject(new Error('must not be reached'));
    const answer = await raw(await credential('east', agentProfile('east', 'n1')), text);
    expect(answer).toMatch(/^HTTP\/1.1 409 /);
    expect(refused).toEqual([['east/n1', 'PAIR_EXCHANGE']]);
  });

  it('refuses who shows no certificate', async () => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.end(http(json({})));
    let answer = '';
    for await (const part of socket) answer += part;
    expect([answer.startsWith('HTTP/1.1 409 '), refused]).toEqual([true, [['127.0.0.1', 'PAIR_EXCHANGE']]]);
  });
});
