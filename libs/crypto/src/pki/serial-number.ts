/** A random positive serial number of 16 bytes, as hex (RFC 5280 §4.1.2.2 allows 20). */
export function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  // The top bit would make the ASN.1 integer negative; the next one keeps it from starting with zeros, which encoders drop.
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}
