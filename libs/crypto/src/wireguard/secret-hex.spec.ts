import { secretFromHex, secretToHex } from './secret-hex.ts';

it('writes each byte as two digits, and reads them back', () => {
  const secret = Uint8Array.from({ length: 256 }, (_, i) => i);
  expect(secretToHex(secret).toString()).toBe(Buffer.from(secret).toString('hex'));
  expect(secretFromHex(secretToHex(secret))).toEqual(Buffer.from(secret));
});

it.each(['0', 'AB', '0g', ' 0'])('has no secret for %j', (text) => {
  expect(secretFromHex(Buffer.from(text))).toBeUndefined();
});
