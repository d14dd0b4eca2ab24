import { CodedError } from '@isthmus/core';
import fc from 'fast-check';
import { type ClientCertificate, explainRefusal, nextLookMs } from './client-certificate.ts';
import { KV_UNAUTHENTICATED, KV_UNREACHABLE } from './kv-errors.ts';

const DAY_MS = 86_400_000;
const dates = fc
  .record({ notBefore: fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) }), life: fc.integer({ min: 2_000, max: 3650 * DAY_MS }) })
  .map(({ notBefore, life }) => ({ notBefore, notAfter: notBefore + life }));

describe('when a connection looks for a newer certificate', () => {
  it('first at three quarters of the life, then several times, last just after the end; never further ahead than timers reach', () => {
    fc.assert(
      fc.property(dates, ({ notBefore, notAfter }) => {
        const [looks, waits] = [[] as number[], [] as number[]];
        for (let now = notBefore; now <= notAfter; ) {
          const wait = nextLookMs({ notBefore, notAfter }, now);
          now += wait;
          waits.push(wait);
          if (wait < DAY_MS) looks.push(now);
        }
        expect(Math.min(...waits)).toBeGreaterThan(0);
        expect(Math.max(...waits)).toBeLessThanOrEqual(DAY_MS);
        const [first, last] = [looks[0]!, looks.at(-1)!];
        expect(first).toBeGreaterThanOrEqual(notBefore + (notAfter - notBefore) * 0.74);
        expect(last).toBeGreaterThan(notAfter);
        expect(last).toBeLessThanOrEqual(notAfter + 2);
        if (notAfter - notBefore < 4 * DAY_MS) expect(looks.length).toBeGreaterThanOrEqual(7);
      }),
    );
  });
});

describe('why two sides do not accept each other', () => {
  const own: ClientCertificate = { name: 'remote-west', issuer: 'isthmus-ca-east', file: '/x.crt', notBefore: 0, notAfter: 60_000 };
  const explain = (text: string, now: number, kind = KV_UNAUTHENTICATED, certificate: ClientCertificate | undefined = own) =>
    explainRefusal(new CodedError(kind, text), 'https://e:1', certificate, now).toJSON();
  const alert = 'Last error: 0A000412:SSL routines:ssl3_read_bytes:ssl/tls alert bad certificate:SSL alert number 42';

  it('names the own certificate that has expired, since when', () => {
    expect(explain(alert, 60_001)).toMatchObject({
      code: 'KV_CERTIFICATE_EXPIRED',
      object: 'remote-west',
      message: 'connect to etcd at https://e:1: the client certificate remote-west (/x.crt) expired at 1970-01-01T00:01:00.000Z',
    });
  });

  it('names the own certificate and its CA when the server will not say what displeases it', () => {
    expect(explain(alert, 1).message).toMatch(/does not accept the client certificate remote-west of isthmus-ca-east/);
  });

  it('tells an expired certificate of the server, and one of an unknown CA, from the own', () => {
    expect(explain('Last error: Error: certificate has expired', 60_001)).toMatchObject({
      code: 'KV_UNAUTHENTICATED',
      message: "connect to etcd at https://e:1: the server's certificate has expired",
    });
    expect(explain('Error: unable to verify the first certificate', 1).message).toContain('signed by a CA that is not trusted here');
  });

  it('adds nothing where it knows nothing', () => {
    expect(explain(alert, 60_001, KV_UNREACHABLE).message).toBe(alert);
    expect(explain('Hostname/IP does not match', 1).message).toBe('Hostname/IP does not match');
    expect(explainRefusal(new CodedError(KV_UNAUTHENTICATED, alert), 'https://e:1', undefined, 1).message).toBe(alert);
  });
});
