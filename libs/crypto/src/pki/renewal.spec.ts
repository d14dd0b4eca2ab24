import { CodedError } from '@isthmus/core';
import fc from 'fast-check';
import { certificateProblem } from './certificate-problem.ts';
import { CERTIFICATE_REVOKED } from './pki.errors.ts';
import { ageOf, lookAgainMs, renewAt, renewalDue, renewedBy } from './renewal.ts';

const DAY_MS = 86_400_000;

/** Certificates of a minute to ten years, made at any time. */
const certificate = fc
  .record({
    notBefore: fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) }),
    life: fc.integer({ min: 60_000, max: 3650 * DAY_MS }),
    serial: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  })
  .map(({ notBefore, life, serial }) => ({ notBefore, notAfter: notBefore + life, serial, issuerKeyId: 'a', cn: 'x' }));
const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
/** A CA that signs, and ends long after. */
const signer = { keyId: 'a', notAfter: Number.MAX_SAFE_INTEGER };

describe('the time of renewal', () => {
  it('lies in the second half of the life, before two thirds of it', () => {
    fc.assert(
      fc.property(certificate, (facts) => {
        const [life, at] = [facts.notAfter - facts.notBefore, renewAt(facts) - facts.notBefore];
        expect(at).toBeGreaterThanOrEqual(Math.floor(life / 2));
        expect(at).toBeLessThanOrEqual((life * 13) / 24);
        expect(renewAt(facts)).toBeLessThan(renewedBy(facts));
        expect(renewedBy(facts)).toBeLessThanOrEqual(facts.notBefore + (life * 2) / 3);
      }),
    );
  });

  it('is due from then on, until the certificate is replaced', () => {
    fc.assert(
      fc.property(certificate, share, (facts, when) => {
        const now = Math.floor(facts.notBefore + (facts.notAfter - facts.notBefore) * when * 2);
        expect(renewalDue(facts, signer, now)).toBe(now >= renewAt(facts));
      }),
    );
  });

  it('is met at least twice before two thirds of the life by whoever looks as often as told, however the looks fall', () => {
    fc.assert(
      fc.property(certificate, share, fc.array(share, { minLength: 4, maxLength: 4 }), (facts, phase, randoms) => {
        let now = renewAt(facts) - phase * lookAgainMs([facts], 0); // the last look before
        let met = 0;
        for (const random of randoms) {
          now += lookAgainMs([facts], random);
          if (now < renewedBy(facts) && renewalDue(facts, signer, now)) met++;
        }
        expect(met).toBeGreaterThanOrEqual(2);
      }),
    );
  });

  it('is spread: certificates that were made together are not renewed together', () => {
    const dates = { notBefore: 0, notAfter: 1_200_000 };
    const times = new Set(['00000000', '40000000', '80000000', 'c0000000'].map((serial) => renewAt({ ...dates, serial })));
    expect([...times]).toEqual([600_000, 612_500, 625_000, 637_500]);
  });

  it('is now when another CA signs, and never when the CA ends as the certificate does', () => {
    fc.assert(
      fc.property(certificate, share, (facts, when) => {
        const now = Math.floor(facts.notBefore + (facts.notAfter - facts.notBefore) * when);
        expect(renewalDue(facts, { keyId: 'b', notAfter: facts.notAfter }, now)).toBe(true);
        expect(renewalDue(facts, { keyId: 'a', notAfter: facts.notAfter }, now)).toBe(false);
      }),
    );
  });
});

describe('the age of a certificate', () => {
  it('goes from future over good and late to expired, and follows a clock that is set back', () => {
    fc.assert(
      fc.property(certificate, fc.array(fc.double({ min: -1, max: 2, noNaN: true }), { minLength: 1 }), (facts, whens) => {
        for (const when of whens) {
          const now = Math.round(facts.notBefore + (facts.notAfter - facts.notBefore) * when);
          const age = ageOf(facts, now);
          if (now < facts.notBefore) expect(age).toBe('future');
          else if (now > facts.notAfter) expect(age).toBe('expired');
          else expect(age).toBe(now < renewedBy(facts) ? 'good' : 'late');
        }
      }),
    );
  });
});

describe('what is wrong with a certificate', () => {
  const facts = { cn: 'remote-west', notBefore: 0, notAfter: 300_000 };
  const error = new CodedError({ code: 'NO', meaning: '', action: 'Start it.' }, 'nobody answers');
  const at = (now: number, failed?: CodedError) => certificateProblem(facts, { error: failed, recovery: 'Connect anew.' }, now)?.toJSON();

  it('is nothing while it is good, or what stands in the way of its renewal', () => {
    expect(at(199_999)).toBeUndefined();
    expect(at(199_999, error)).toMatchObject({ code: 'NO', action: 'Start it.' });
  });

  it('names the end and the cause when it is late, and what to do about the cause', () => {
    expect(at(200_000)).toMatchObject({ code: 'CERTIFICATE_RENEWAL', object: 'remote-west' });
    expect(at(200_000, error)).toMatchObject({
      code: 'CERTIFICATE_RENEWAL',
      message: 'remote-west expires at 1970-01-01T00:05:00.000Z and is not renewed; renewing it failed: nobody answers',
      action: 'Start it.',
    });
  });

  it('is that it was withdrawn, however old it is', () => {
    const revoked = new CodedError(CERTIFICATE_REVOKED, 'east revoked it');
    for (const now of [1, 200_000, 300_001]) expect(at(now, revoked)?.code).toBe('CERTIFICATE_REVOKED');
  });

  it('is that it expired, since when, and how to get another one', () => {
    expect(at(300_001, error)).toMatchObject({
      code: 'CERTIFICATE_EXPIRED',
      object: 'remote-west',
      message: 'remote-west expired at 1970-01-01T00:05:00.000Z; renewing it failed: nobody answers',
      action: 'Connect anew.',
    });
  });
});
