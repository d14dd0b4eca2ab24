import { inspect } from 'node:util';
import fc from 'fast-check';
import { secretFromBase64, secretToBase64 } from './secret-base64.ts';
import { parsePublicKey, WireGuardKey } from './wireguard-key.ts';

// RFC 7748 §6.1.
const ALICE = {
  secret: Buffer.from('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a', 'hex'),
  public: Buffer.from('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a', 'hex').toString('base64'),
};

describe('WireGuardKey', () => {
  it('has the public key of the standard', () => {
    expect(WireGuardKey.parse(secretToBase64(ALICE.secret)).publicKey).toBe(ALICE.public);
  });

  it('comes back from its text, with or without a line end', () => {
    const key = WireGuardKey.generate((length) => new Uint8Array(length).fill(0xff));
    expect(key.text().toString()).toBe(`+P${'/'.repeat(39)}38=`);
    for (const end of ['', '\n']) expect(WireGuardKey.parse(Buffer.from(`${key.text()}${end}`)).publicKey).toBe(key.publicKey);
  });

  it('is gone when it is wiped, and never shows itself', () => {
    const key = WireGuardKey.parse(secretToBase64(ALICE.secret));
    const text = key.text().toString();
    expect(`${inspect(key, { showHidden: true, depth: 9 })}${JSON.stringify(key)}`).not.toContain(text.slice(0, 20));
    key.wipe();
    expect(key.wiped).toBe(true);
    expect(() => key.text()).toThrow('was wiped');
  });

  it.each(['', 'AAAA', `${'A'.repeat(43)}`, `${'A'.repeat(42)}B=`, `${'A'.repeat(43)}A`, `${'A'.repeat(42)}-=`, `${'A'.repeat(43)}=\n\n`])(
    'is not taken from %j, which the error does not repeat',
    (text) => {
      const parsing = (): unknown => WireGuardKey.parse(Buffer.from(text));
      expect(parsing).toThrow(expect.objectContaining({ code: 'WIREGUARD_KEY', object: '(a private key)' }));
    },
  );
});

it('secrets go to base64 and back as Node has it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const text = secretToBase64(bytes);
      return text.toString() === Buffer.from(bytes).toString('base64') && secretFromBase64(text)!.equals(bytes);
    }),
  );
});

it.each<[string, boolean]>([
  [ALICE.public, true],
  [`${'A'.repeat(43)}=`, false],
  [`${ALICE.public}\n`, false],
  [ALICE.public.slice(1), false],
  [ALICE.public.replace('=', 'A'), false],
  [`${'A'.repeat(42)}F=`, false],
])('the public key %j: %s', (text, good) => {
  expect(parsePublicKey(text)).toBe(good ? text : undefined);
});
