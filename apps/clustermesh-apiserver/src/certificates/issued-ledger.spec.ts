import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@isthmus/core';
import type { CertificateFacts } from '@isthmus/crypto';
import { FileLedgerStore } from './adapters/file-ledger-store.ts';
import { IssuedLedger } from './issued-ledger.ts';

const HOUR_MS = 3_600_000;

describe('IssuedLedger', () => {
  let dir: string;
  const clock = new ManualClock();
  const open = (): IssuedLedger => new IssuedLedger(new FileLedgerStore(join(dir, 'issued.json')), clock);
  const facts = (cn: string, serial: string): CertificateFacts =>
    ({ cn, serial, issuer: 'ca', issuerKeyId: 'k', notBefore: clock.wall(), notAfter: clock.wall() + HOUR_MS }) as CertificateFacts;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'isthmus-ledger-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('remembers each certificate once, over a restart', async () => {
    const ledger = open();
    await Promise.all([
      ledger.record(facts('remote-west', 'a')),
      ledger.record(facts('remote-west', 'b')),
      ledger.record(facts('remote-west', 'a')),
    ]);
    await ledger.record(facts('remote-north', 'c'));
    expect((await open().of('remote-west')).map(({ serial }) => serial)).toEqual(['a', 'b']);
  });

  it('withdraws what one user has, and only that, until it would have ended anyway', async () => {
    const ledger = open();
    for (const [user, serial] of ['a', 'b'].map((serial) => ['remote-west', serial] as const)) await ledger.record(facts(user, serial));
    await ledger.record(facts('remote-north', 'c'));
    expect(await ledger.revoke('remote-west')).toBe(2);
    const at = clock.wall();
    expect(await open().revoked()).toEqual([
      { serial: 'a', at },
      { serial: 'b', at },
    ]);
    expect([await ledger.revokedAt('a'), await ledger.revokedAt('c'), await ledger.revokedAt('d')]).toEqual([at, undefined, undefined]);
    clock.advance(HOUR_MS / 2);
    await ledger.record(facts('remote-west', 'e'));
    expect(await ledger.revokedAt('e')).toBeUndefined();
    expect(await ledger.revoke('remote-west')).toBe(1);
    clock.advance(HOUR_MS / 2 + 1);
    expect((await ledger.revoked()).map(({ serial }) => serial)).toEqual(['e']);
  });

  it('forgets what has expired, but for the last certificate of a user: it says since when', async () => {
    const ledger = open();
    await ledger.record(facts('remote-west', 'a'));
    clock.advance(2 * HOUR_MS);
    await ledger.record(facts('remote-west', 'b'));
    clock.advance(2 * HOUR_MS);
    await ledger.record(facts('remote-north', 'c'));
    expect((await open().of('remote-west')).map(({ serial }) => serial)).toEqual(['b']);
  });
});
