import { ManualClock } from '@isthmus/core';
import fc from 'fast-check';
import { TOKEN_TTL_MS, TokenLedger } from './token-ledger.ts';
import { MemoryTokenStore } from './token-store.ts';
import { formatToken, parseToken } from './token-text.ts';

const pin = 'ab'.repeat(32);

function setUp(): { clock: ManualClock; store: MemoryTokenStore; ledger: TokenLedger } {
  const clock = new ManualClock();
  const store = new MemoryTokenStore();
  let next = 0;
  const randomBytes = (length: number): Uint8Array => new Uint8Array(length).fill(next++);
  return { clock, store, ledger: new TokenLedger({ clock, store, randomBytes, caPin: () => pin }) };
}

const forEast = { kind: 'cluster', subject: 'east' } as const;

describe('token text', () => {
  const hex = (digits: number): fc.Arbitrary<string> =>
    fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: digits, maxLength: digits }).map((a) => a.join(''));

  it('survives the round trip', () => {
    const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((b) => Buffer.from(b).toString('base64url'));
    fc.assert(
      fc.property(hex(16), secrets, hex(64), (id, secret, caPin) => {
        expect(parseToken(` ${formatToken({ id, secret, caPin })}\n`)).toEqual({ id, secret, caPin });
      }),
    );
  });

  it('refuses anything else without repeating it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), (text) => {
        expect(() => parseToken(text)).toThrow(expect.objectContaining({ code: 'TOKEN_UNKNOWN' }));
        expect(() => parseToken(text)).not.toThrow(text);
      }),
    );
  });
});

describe('the token ledger', () => {
  it('keeps no secret', async () => {
    const { ledger, store } = setUp();
    const { text } = await ledger.issue({ kind: 'cluster' });
    const { secret } = parseToken(text);
    expect(JSON.stringify(await store.list())).not.toContain(secret);
    expect(parseToken(text).caPin).toBe(pin);
  });

  it('lets a token be used once, also by callers at the same moment', async () => {
    const { ledger } = setUp();
    const { text } = await ledger.issue({ kind: 'cluster' });
    const { id } = await ledger.identify(text);
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => ledger.redeem(id, forEast)));
    expect(outcomes.filter((o) => o.status === 'fulfilled')).toHaveLength(1);
    await expect(ledger.redeem(id, forEast)).rejects.toMatchObject({ code: 'TOKEN_USED', object: id });
    // It is still recognised: whoever joined with it may finish.
    expect((await ledger.identify(text)).usedAt).toBeDefined();
  });

  it('checks without using up', async () => {
    const { ledger } = setUp();
    const { record } = await ledger.issue({ kind: 'cluster' });
    await ledger.check(record.id, forEast);
    await ledger.check(record.id, forEast);
    await ledger.redeem(record.id, forEast);
  });

  it('expires by the clock', async () => {
    const { ledger, clock } = setUp();
    const { record } = await ledger.issue({ kind: 'cluster' });
    clock.advance(TOKEN_TTL_MS - 1);
    await ledger.check(record.id, forEast);
    clock.advance(1);
    await expect(ledger.redeem(record.id, forEast)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
  });

  it('is for its kind and its subject only', async () => {
    const { ledger } = setUp();
    const { record } = await ledger.issue({ kind: 'node', subject: 'n1', ttl: 1000 });
    await expect(ledger.check(record.id, { kind: 'cluster', subject: 'n1' })).rejects.toMatchObject({ code: 'TOKEN_KIND' });
    await expect(ledger.check(record.id, { kind: 'node', subject: 'n2' })).rejects.toMatchObject({ code: 'TOKEN_KIND' });
    await ledger.redeem(record.id, { kind: 'node', subject: 'n1' });
  });

  it('does not tell a wrong secret from an unknown id', async () => {
    const { ledger } = setUp();
    const { text } = await ledger.issue({ kind: 'cluster' });
    const { id } = parseToken(text);
    for (const wrong of [
      formatToken({ id, secret: 'A'.repeat(43), caPin: pin }),
      formatToken({ id: 'f'.repeat(16), secret: 'A'.repeat(43), caPin: pin }),
    ]) {
      await expect(ledger.identify(wrong)).rejects.toMatchObject({ code: 'TOKEN_UNKNOWN' });
    }
  });

  it('forgets a token a day after its time', async () => {
    const { ledger, store, clock } = setUp();
    await ledger.issue({ kind: 'cluster' });
    clock.advance(25 * 60 * 60_000);
    await ledger.issue({ kind: 'cluster' });
    expect(await store.list()).toHaveLength(1);
  });
});
