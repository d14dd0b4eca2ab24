import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@isthmus/core';
import { CaDirectory, type CertificateFacts, certificateFacts, createClusterCa } from '@isthmus/crypto';
import { lineLog } from '../join/testing/memory-ports.ts';
import { CaChange } from './ca-change.ts';
import type { Dependents } from './ca-waiting.ts';
import type { CheckIn } from './check-ins.ts';

let dir: string;
let ca: CaDirectory;
let change: CaChange;
let dependents: Dependents;
let stillTrusting: string[];
let renewals: number;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'isthmus-ca-change-'));
  ca = new CaDirectory(dir);
  await ca.write(await createClusterCa({ cluster: 'west', clock: systemClock }));
  [dependents, stillTrusting, renewals] = [{ own: [], nodes: [], remotes: [] }, [], 0];
  change = new CaChange({
    cluster: 'west',
    ca,
    dependents: async () => dependents,
    renewOwn: async () => void renewals++,
    stillTrusting: async () => stillTrusting,
    clock: systemClock,
    log: lineLog([]),
  });
});

afterEach(() => rm(dir, { recursive: true, force: true }));

const currentCa = async (): Promise<CertificateFacts> => certificateFacts(await ca.bundle());
const by = ({ keyId }: CertificateFacts): CertificateFacts => ({ issuerKeyId: keyId }) as CertificateFacts;
const checkIn = (issuer: CertificateFacts, ...trusts: CertificateFacts[]): CheckIn =>
  ({ certificate: by(issuer), trusts: trusts.map(({ fingerprintSha256 }) => fingerprintSha256) }) as unknown as CheckIn;

describe('CaChange', () => {
  it('goes from one CA over two to one, and renews the control plane at each step', async () => {
    const former = await currentCa();
    expect(await change.status()).toEqual({
      cas: [expect.objectContaining({ name: 'isthmus-ca-west', signs: true })],
      waitsFor: [],
      stillTrusted: [],
    });
    const { cas } = await change.rotate();
    expect(cas).toEqual([
      {
        name: expect.stringMatching(/^isthmus-ca-west-/),
        pin: (await currentCa()).fingerprintSha256,
        notAfter: expect.any(String),
        signs: true,
      },
      { name: 'isthmus-ca-west', pin: former.fingerprintSha256, notAfter: expect.any(String), signs: false },
    ]);
    await expect(change.rotate()).rejects.toMatchObject({ code: 'CA_CHANGE_UNDER_WAY' });
    expect((await change.retire(false)).cas).toEqual([cas[0]]);
    expect(renewals).toBe(2);
    await expect(change.retire(false)).rejects.toMatchObject({ code: 'CA_CHANGE_NONE' });
  });

  it('does not retire a CA that somebody still needs, names each with the reason, and does it when forced', async () => {
    const former = await currentCa();
    await change.rotate();
    const current = await currentCa();
    dependents = {
      own: [
        { name: 'mesh etcd', facts: by(former) },
        { name: 'root', facts: undefined },
        { name: 'admin', facts: by(current) },
      ],
      nodes: [
        { name: 'n1', last: undefined },
        { name: 'n2', last: checkIn(former, former) },
        { name: 'n3', last: checkIn(former, current, former) },
        { name: 'n4', last: checkIn(current, current, former) },
      ],
      remotes: [{ name: 'east', last: checkIn(current, former) }],
    };
    const waitsFor = [
      { name: 'certificate mesh etcd', why: 'is still one of the former CA' },
      { name: 'certificate root', why: 'is still one of the former CA' },
      { name: 'node n1', why: 'has not called since this apiserver was started' },
      { name: 'node n2', why: 'does not trust the new CA yet' },
      { name: 'node n3', why: 'still has a certificate of the former CA' },
      { name: 'cluster east', why: 'does not trust the new CA yet' },
    ];
    expect((await change.status()).waitsFor).toEqual(waitsFor);
    await expect(change.retire(false)).rejects.toMatchObject({
      code: 'CA_CHANGE_WAITS',
      object: waitsFor.map(({ name }) => name).join(', '),
      message: expect.stringContaining('node n3 still has a certificate of the former CA'),
    });
    expect((await change.status()).cas).toHaveLength(2);
    expect((await change.retire(true)).cas).toHaveLength(1);
  });

  it('retires nothing before it knows which nodes there are', async () => {
    await change.rotate();
    dependents = { own: [], nodes: undefined, remotes: [] };
    await expect(change.retire(false)).rejects.toMatchObject({
      code: 'CA_CHANGE_WAITS',
      message: 'the list of nodes has not been read yet',
    });
  });

  it('names the servers that still trust the former CA, and forgets it when none does', async () => {
    stillTrusting = ['mesh etcd'];
    expect((await change.rotate()).stillTrusted).toEqual([]);
    expect((await change.retire(false)).stillTrusted).toEqual(['mesh etcd']);
    expect(await readdir(dir)).toContain('former.key');
    stillTrusting = [];
    expect((await change.status()).stillTrusted).toEqual([]);
    expect(await readdir(dir)).not.toContain('former.key');
  });
});
