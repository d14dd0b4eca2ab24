const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1');
const PAD = 0x3d;
const SECRET_BYTES = 32;
const TEXT_BYTES = 44;

/** Base64 of a secret of 32 bytes, in bytes that can be cleared: a string stays in memory for as long as it pleases the collector. */
export function secretToBase64(secret: Uint8Array): Buffer {
  const text = Buffer.alloc(TEXT_BYTES, PAD);
  for (let at = 0, out = 0; at < SECRET_BYTES; at += 3) {
    const bits = (secret[at]! << 16) | ((secret[at + 1] ?? 0) << 8) | (secret[at + 2] ?? 0);
    const digits = Math.min(SECRET_BYTES - at, 3) + 1;
    for (let digit = 0; digit < digits; digit++) text[out++] = ALPHABET[(bits >>> (18 - 6 * digit)) & 63]!;
    out += 4 - digits;
  }
  return text;
}

/** The secret of 44 characters, a line end behind them or not; undefined when they are none. The caller clears both. */
export function secretFromBase64(text: Uint8Array): Buffer | undefined {
  const length = text[text.length - 1] === 0x0a ? text.length - 1 : text.length;
  if (length !== TEXT_BYTES || text[TEXT_BYTES - 1] !== PAD) return undefined;
  const secret = Buffer.alloc(SECRET_BYTES);
  let bits = 0;
  for (let at = 0, out = 0; at < TEXT_BYTES - 1; at++) {
    const digit = ALPHABET.indexOf(text[at]!);
    if (digit < 0) return undefined;
    bits = ((bits << 6) | digit) & 0x3fff;
    // Each digit completes a byte, but for the first of every four.
    if ((at & 3) !== 0) secret[out++] = bits >>> (6 - 2 * (at & 3));
  }
  return (bits & 3) === 0 ? secret : undefined;
}
