const DIGITS = Buffer.from('0123456789abcdef', 'latin1');

/** Hexadecimal digits of a secret, in bytes that can be cleared, as {@link secretToBase64} has them. */
export function secretToHex(secret: Uint8Array): Buffer {
  const text = Buffer.alloc(2 * secret.length);
  for (const [i, byte] of secret.entries()) {
    text[2 * i] = DIGITS[byte >>> 4]!;
    text[2 * i + 1] = DIGITS[byte & 15]!;
  }
  return text;
}

/** The secret of hexadecimal digits in lower case; undefined when they are none. The caller clears both. */
export function secretFromHex(text: Uint8Array): Buffer | undefined {
  if (text.length % 2 !== 0) return undefined;
  const secret = Buffer.alloc(text.length / 2);
  for (let i = 0; i < secret.length; i++) {
    const [high, low] = [DIGITS.indexOf(text[2 * i]!), DIGITS.indexOf(text[2 * i + 1]!)];
    if (high < 0 || low < 0) {
      secret.fill(0);
      return undefined;
    }
    secret[i] = (high << 4) | low;
  }
  return secret;
}
