/** Length of `struct nlmsghdr`. */
export const HEADER_LENGTH = 16;

/** Flags of a request and of an answer (linux/netlink.h). */
export const NLM_F = {
  REQUEST: 0x01,
  MULTI: 0x02,
  ACK: 0x04,
  DUMP_INTR: 0x10,
  /** With NEW: replace what is there. */
  REPLACE: 0x100,
  /** With GET: all objects. */
  DUMP: 0x300,
  /** With NEW: fail with EEXIST when it is there. */
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
} as const;

/** Message types that every netlink family shares. */
export const NLMSG = { ERROR: 2, DONE: 3 } as const;

const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

/** One message without its header. */
export interface NetlinkMessage {
  type: number;
  flags: number;
  seq: number;
  payload: Buffer;
}

/** Writes one message with its header. Port id 0: the kernel fills it in. */
export function encodeMessage(message: NetlinkMessage): Buffer {
  const bytes = Buffer.alloc(align(HEADER_LENGTH + message.payload.length));
  bytes.writeUInt32LE(HEADER_LENGTH + message.payload.length, 0);
  bytes.writeUInt16LE(message.type, 4);
  bytes.writeUInt16LE(message.flags, 6);
  bytes.writeUInt32LE(message.seq, 8);
  message.payload.copy(bytes, HEADER_LENGTH);
  return bytes;
}

/**
 * Splits one datagram into its messages. The payloads are views of `bytes`.
 * @throws RangeError when a length runs over the end
 */
export function decodeMessages(bytes: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + HEADER_LENGTH <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    if (length < HEADER_LENGTH || at + length > bytes.length) throw new RangeError(`netlink message of ${length} bytes at ${at}`);
    messages.push({
      type: bytes.readUInt16LE(at + 4),
      flags: bytes.readUInt16LE(at + 6),
      seq: bytes.readUInt32LE(at + 8),
      payload: bytes.subarray(at + HEADER_LENGTH, at + length),
    });
    at += align(length);
  }
  return messages;
}

/** One attribute; text is written with its closing NUL. */
export function attribute(type: number, value: Buffer | string): Buffer {
  const data = typeof value === 'string' ? Buffer.from(`${value}\0`) : value;
  const bytes = Buffer.alloc(align(4 + data.length));
  bytes.writeUInt16LE(4 + data.length, 0);
  bytes.writeUInt16LE(type, 2);
  data.copy(bytes, 4);
  return bytes;
}

/** An attribute that holds attributes. */
export function nested(type: number, ...attributes: Buffer[]): Buffer {
  return attribute(type | NLA_F_NESTED, Buffer.concat(attributes));
}

/** An attribute of one byte. */
export function u8Attribute(type: number, value: number): Buffer {
  return attribute(type, Buffer.from([value]));
}

/** An attribute of 16 bits in network byte order, as ports are. */
export function u16beAttribute(type: number, value: number): Buffer {
  const data = Buffer.alloc(2);
  data.writeUInt16BE(value);
  return attribute(type, data);
}

/** An attribute of 32 bits in host byte order (little-endian on every machine that we run on). */
export function u32Attribute(type: number, value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(value >>> 0);
  return attribute(type, data);
}

/** Attributes by type, in the order in which they came. A type may occur more than once. */
export type Attributes = Map<number, Buffer[]>;

/**
 * Reads a run of attributes. The values are views of `bytes`.
 * @throws RangeError when a length runs over the end
 */
export function decodeAttributes(bytes: Buffer): Attributes {
  const found: Attributes = new Map();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.length) throw new RangeError(`netlink attribute of ${length} bytes at ${at}`);
    const type = bytes.readUInt16LE(at + 2) & NLA_TYPE_MASK;
    const values = found.get(type);
    const value = bytes.subarray(at + 4, at + length);
    if (values) values.push(value);
    else found.set(type, [value]);
    at += align(length);
  }
  return found;
}

/** The first value of a type. */
export function first(attributes: Attributes, type: number): Buffer | undefined {
  return attributes.get(type)?.[0];
}

/** The attributes inside an attribute; none when it is absent. */
export function inside(attributes: Attributes, type: number): Attributes {
  return decodeAttributes(first(attributes, type) ?? Buffer.alloc(0));
}

/** A 32-bit value; undefined when the attribute is absent. */
export function u32Of(attributes: Attributes, type: number): number | undefined {
  return first(attributes, type)?.readUInt32LE(0);
}

/** Text up to its NUL; undefined when the attribute is absent. */
export function textOf(attributes: Attributes, type: number): string | undefined {
  const value = first(attributes, type);
  return value && untilNul(value);
}

/** Text up to its NUL or the end. */
export function untilNul(value: Buffer): string {
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}

/** Messages and attributes start at multiples of four. */
function align(length: number): number {
  return (length + 3) & ~3;
}
