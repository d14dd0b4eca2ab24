import { BgpError } from '../error/bgp-error.ts';

/** Message types, RFC 4271 §4.1 and RFC 2918 §3. */
export const MESSAGE_TYPE = { open: 1, update: 2, notification: 3, keepalive: 4, routeRefresh: 5 } as const;

/** Marker, length and type, RFC 4271 §4.1. */
export const HEADER_BYTES = 19;
/** Greatest message, RFC 4271 §4.1. */
export const MAX_MESSAGE = 4096;
/** The same where both sides have extended messages, RFC 8654 §3. */
export const MAX_EXTENDED_MESSAGE = 65_535;
/** Least length by type, RFC 4271 §6.1 and RFC 2918 §3. */
const LEAST: readonly number[] = [0, 29, 23, 21, 19, 23];
const MARKER_BYTES = 16;

/** One message as it came. */
export interface FramedMessage {
  readonly type: number;
  /** A view, valid until the next call of the framer. */
  readonly body: Uint8Array;
}

/** Cuts a byte stream into messages, RFC 4271 §4.1. A message that is whole in a chunk is not copied. */
export class MessageFramer {
  /** Raised to 65535 when both sides have extended messages, RFC 8654. */
  maxMessage = MAX_MESSAGE;
  #rest = new Uint8Array(0);
  #at = 0;

  /** Takes the next bytes of the stream. Call {@link next} until it has nothing before pushing more. */
  push(bytes: Uint8Array): void {
    const left = this.#rest.length - this.#at;
    if (left === 0) {
      this.#rest = bytes as Uint8Array<ArrayBuffer>;
    } else {
      const joined = new Uint8Array(left + bytes.length);
      joined.set(this.#rest.subarray(this.#at));
      joined.set(bytes, left);
      this.#rest = joined;
    }
    this.#at = 0;
  }

  /** The next whole message. @throws BgpError 1/1, 1/2, 1/3 */
  next(): FramedMessage | undefined {
    const bytes = this.#rest;
    const start = this.#at;
    if (bytes.length - start < HEADER_BYTES) return this.#keep();
    const length = (bytes[start + 16]! << 8) | bytes[start + 17]!;
    const type = bytes[start + 18]!;
    checkHeader(bytes, start, this.maxMessage);
    if (bytes.length - start < length) return this.#keep();
    this.#at = start + length;
    return { type, body: bytes.subarray(start + HEADER_BYTES, start + length) };
  }

  /** What is left belongs to the stream's next chunk; the chunk itself is only lent. */
  #keep(): undefined {
    this.#rest = this.#rest.slice(this.#at);
    this.#at = 0;
    return undefined;
  }
}

function checkHeader(bytes: Uint8Array, start: number, max: number): void {
  const length = (bytes[start + 16]! << 8) | bytes[start + 17]!;
  const type = bytes[start + 18]!;
  for (let i = start; i < start + MARKER_BYTES; i++) {
    if (bytes[i] !== 0xff) throw new BgpError({ code: 1, subcode: 1, reason: 'a message does not begin with the marker' });
  }
  const least = LEAST[type];
  if (type === 0 || least === undefined) {
    throw new BgpError({ code: 1, subcode: 3, data: Uint8Array.of(type), reason: `there is no message type ${type}` });
  }
  const most = type === MESSAGE_TYPE.keepalive ? HEADER_BYTES : type === MESSAGE_TYPE.open ? MAX_MESSAGE : max;
  if (length < least || length > most) {
    throw new BgpError({
      code: 1,
      subcode: 2,
      data: Uint8Array.of(length >> 8, length & 0xff),
      reason: `a message of type ${type} has ${length} bytes`,
    });
  }
}

/** A whole message of a type around a body. */
export function frame(type: number, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES + body.length).fill(0xff, 0, MARKER_BYTES);
  out[16] = out.length >> 8;
  out[17] = out.length & 0xff;
  out[18] = type;
  out.set(body, HEADER_BYTES);
  return out;
}
