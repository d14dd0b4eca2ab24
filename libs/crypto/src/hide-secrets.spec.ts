import fc from 'fast-check';
import { HIDDEN, hideSecrets } from './hide-secrets.ts';
import { newPrivateKey } from './pki/key-pair.ts';
import { formatToken } from './token/token-text.ts';

const TOKEN = { id: '0123456789abcdef', secret: 'aB3_-'.repeat(9).slice(0, 43), caPin: '9f'.repeat(32) };

/** Lines of a key that are the key. */
function body(pem: string): string[] {
  return pem.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
}

describe('hideSecrets', () => {
  it('hides keys as they are, in JSON, in JSON in JSON, and cut off', async () => {
    const pem = await newPrivateKey();
    const once = JSON.stringify({ key: pem, next: 1 });
    for (const text of [pem, once, JSON.stringify({ line: once }), pem.slice(0, 80), pem.replaceAll('\n', '\r\n')]) {
      const hidden = hideSecrets(`before ${text} after`);
      for (const line of body(pem)) expect(hidden).not.toContain(line.slice(0, 20));
      expect(hidden).toContain(HIDDEN);
      expect(hidden).toMatch(/^before .*/s);
    }
    expect(JSON.parse(hideSecrets(once))).toMatchObject({ next: 1 });
  });

  it('hides tokens but for their ids, and credentials of callers', () => {
    const token = formatToken(TOKEN);
    const hidden = hideSecrets(`{"token":"${token}"} Authorization: Bearer ${TOKEN.secret}`);
    expect(hidden).toBe(`{"token":"isth1.${TOKEN.id}.${HIDDEN}"} Authorization: Bearer ${HIDDEN}`);
    expect(hideSecrets(token.slice(0, 50))).toBe(`isth1.${TOKEN.id}.${HIDDEN}`);
  });

  it('leaves certificates, public keys and everything else alone', () => {
    const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
    for (const text of [certificate, 'basic functionality', 'the bearer of this']) expect(hideSecrets(text)).toBe(text);
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/PRIVATE KEY|isth1|authorization/i.test(text));
        expect(hideSecrets(text)).toBe(text);
      }),
    );
  });
});
