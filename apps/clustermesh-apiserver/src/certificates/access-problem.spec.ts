import { CodedError } from '@isthmus/core';
import { accessOf } from './access-problem.ts';
import type { IssuedCertificate } from './issued-ledger.ts';

const issued: IssuedCertificate = {
  user: 'remote-west',
  serial: 'a',
  issuer: 'isthmus-ca-east',
  issuerKeyId: 'k',
  notBefore: 0,
  notAfter: 300_000,
};
const trusted = new Set(['k']);
const seen = (now: number, change: Partial<IssuedCertificate> = {}, keys: ReadonlySet<string> = trusted) => {
  const { state, problem } = accessOf({ ...issued, ...change }, keys, undefined, now);
  return [state, problem?.code, problem?.object];
};

describe('how a remote stands with this cluster', () => {
  it('follows from the dates of what it has, also when nobody called', () => {
    expect(seen(100_000)).toEqual(['good', undefined, undefined]);
    expect(seen(200_000)).toEqual(['late', 'CERTIFICATE_RENEWAL', 'remote-west']);
    expect(seen(300_001)).toEqual(['expired', 'CERTIFICATE_EXPIRED', 'remote-west']);
    expect(accessOf(issued, trusted, undefined, 300_001).problem?.message).toBe(
      'remote-west expired at 1970-01-01T00:05:00.000Z: it is refused',
    );
  });

  it('says first that it was withdrawn, then that its CA is not trusted, then the rest', () => {
    expect(seen(300_001, { revokedAt: 5 }, new Set())).toEqual(['revoked', 'CERTIFICATE_REVOKED', 'remote-west']);
    expect(seen(300_001, {}, new Set(['other']))).toEqual(['untrusted', 'CERTIFICATE_WRONG_CA', 'remote-west']);
  });

  it('tells of a caller who came with something else than it has', () => {
    const problem = new CodedError({ code: 'CERTIFICATE_NAME', meaning: '', action: '' }, 'another name');
    expect(accessOf(issued, trusted, { user: 'remote-west', problem, at: 1, times: 1 }, 100_000)).toEqual({ state: 'good', problem });
  });
});
