import { inspect } from 'node:util';
import { encapsulateFor, KEM_CIPHERTEXT_BYTES, KEM_PUBLIC_BYTES, KemKey } from './ml-kem.ts';

describe('ML-KEM-768', () => {
  it('gives both sides one secret, and each exchange another', () => {
    const key = KemKey.generate();
    const [one, two] = [encapsulateFor(key.publicKey), encapsulateFor(key.publicKey)];
    expect([key.publicKey.length, one.ciphertext.length, one.secret.length]).toEqual([KEM_PUBLIC_BYTES, KEM_CIPHERTEXT_BYTES, 32]);
    expect(key.decapsulate(one.ciphertext)).toEqual(one.secret);
    expect(one.secret.equals(two.secret)).toBe(false);
  });

  it('gives another secret of a ciphertext that was changed, and says nothing', () => {
    const key = KemKey.generate();
    const { ciphertext, secret } = encapsulateFor(key.publicKey);
    ciphertext[500]! ^= 1;
    expect(key.decapsulate(ciphertext).equals(secret)).toBe(false);
  });

  it.each<[string, (key: KemKey) => unknown]>([
    ['a ciphertext that is too short', (key) => key.decapsulate(new Uint8Array(KEM_CIPHERTEXT_BYTES - 1))],
    ['no ciphertext', (key) => key.decapsulate(new Uint8Array(0))],
    ['a public key that is too long', () => encapsulateFor(new Uint8Array(KEM_PUBLIC_BYTES + 1))],
    ['a public key with numbers beyond the modulus', () => encapsulateFor(new Uint8Array(KEM_PUBLIC_BYTES).fill(0xff))],
  ])('refuses %s', (_, use) => {
    const key = KemKey.generate();
    expect(() => use(key)).toThrow(expect.objectContaining({ code: 'WIREGUARD_KEM' }));
  });

  it('has no use once it is wiped, and never shows itself', () => {
    const key = KemKey.generate();
    const { ciphertext } = encapsulateFor(key.publicKey);
    expect(inspect(key, { showHidden: true, depth: 9 })).not.toContain('secret');
    key.wipe();
    expect(() => key.decapsulate(ciphertext)).toThrow('was wiped');
  });
});
