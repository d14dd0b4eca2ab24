import { addressBytes, ByteReader, ByteWriter, Ip } from '@isthmus/net';
import { readAsPath, writeAsPath } from './as-path.codec.ts';
import { ATTRIBUTE, FLAG } from './attribute-type.ts';
import type { LargeCommunity, Origin, PathAttributes, UnknownAttribute } from './path-attributes.ts';

/** One attribute as it stands in a block. */
export interface RawAttribute {
  readonly flags: number;
  readonly type: number;
  /** A view into the block. */
  readonly value: Uint8Array;
}

/** The attributes of a well-formed block, one after another, RFC 4271 §4.3. */
export function* attributesOf(block: Uint8Array): Generator<RawAttribute> {
  const reader = new ByteReader(block);
  while (reader.remaining > 0) {
    const [flags, type] = [reader.u8(), reader.u8()];
    yield { flags, type, value: reader.bytes(flags & FLAG.extendedLength ? reader.u16() : reader.u8()) };
  }
}

type Writable = { -readonly [K in keyof PathAttributes]: PathAttributes[K] };

const READERS: Readonly<Record<number, (into: Writable, value: Uint8Array) => void>> = {
  [ATTRIBUTE.origin]: (into, value) => {
    into.origin = value[0] as Origin;
  },
  [ATTRIBUTE.asPath]: (into, value) => {
    into.asPath = readAsPath(value, 4);
  },
  [ATTRIBUTE.med]: (into, value) => {
    into.med = new ByteReader(value).u32();
  },
  [ATTRIBUTE.localPref]: (into, value) => {
    into.localPref = new ByteReader(value).u32();
  },
  [ATTRIBUTE.atomicAggregate]: (into) => {
    into.atomicAggregate = true;
  },
  [ATTRIBUTE.aggregator]: (into, value) => {
    into.aggregator = { asn: new ByteReader(value).u32(), address: addressText(value.subarray(4)) };
  },
  [ATTRIBUTE.communities]: (into, value) => {
    into.communities = listOf(value, 4, (reader) => reader.u32());
  },
  [ATTRIBUTE.originatorId]: (into, value) => {
    into.originatorId = addressText(value);
  },
  [ATTRIBUTE.clusterList]: (into, value) => {
    into.clusterList = listOf(value, 4, (reader) => addressText(reader.bytes(4)));
  },
  [ATTRIBUTE.extendedCommunities]: (into, value) => {
    into.extendedCommunities = listOf(value, 8, (reader) => reader.u64());
  },
  [ATTRIBUTE.largeCommunities]: (into, value) => {
    into.largeCommunities = listOf(value, 12, (reader) => ({ global: reader.u32(), local1: reader.u32(), local2: reader.u32() }));
  },
};

/**
 * Reads a block as `parseUpdate` answers it.
 * @param nextHop 4, 16 or 32 bytes; 32: global, then link-local (RFC 2545 §3); none for the speaker's own routes
 * @throws RangeError for bytes that no UPDATE was parsed to
 */
export function decodeAttributes(block: Uint8Array, nextHop: Uint8Array): PathAttributes {
  const attributes: Writable = { origin: 2, asPath: [], nextHop: nextHop.length === 0 ? '' : addressText(nextHop.subarray(0, 16)) };
  if (nextHop.length === 32) attributes.linkLocalNextHop = addressText(nextHop.subarray(16));
  const unknown: UnknownAttribute[] = [];
  for (const { flags, type, value } of attributesOf(block)) {
    const read = READERS[type];
    if (read) read(attributes, value);
    else unknown.push({ type, flags: flags & ~FLAG.extendedLength, value: value.slice() });
  }
  if (unknown.length > 0) attributes.unknown = unknown;
  return attributes;
}

/** Writes a block: types ascending, AS numbers four octets wide, without the next hop. The same attributes give the same bytes. */
export function encodeAttributes(attributes: PathAttributes): Uint8Array {
  const all = [...known(attributes), ...(attributes.unknown ?? [])].sort((a, b) => a.type - b.type);
  const writer = new ByteWriter(64);
  for (const each of all) writeAttribute(writer, each);
  return writer.done();
}

function* known(attributes: PathAttributes): Generator<UnknownAttribute> {
  const { origin, asPath, med, localPref, atomicAggregate, aggregator, communities, originatorId, clusterList } = attributes;
  const { extendedCommunities, largeCommunities } = attributes;
  const [wellKnown, optional] = [FLAG.transitive, FLAG.optional];
  const transitive = wellKnown | optional;
  yield { type: ATTRIBUTE.origin, flags: wellKnown, value: Uint8Array.of(origin) };
  yield { type: ATTRIBUTE.asPath, flags: wellKnown, value: writeAsPath(asPath, 4) };
  if (med !== undefined) yield { type: ATTRIBUTE.med, flags: optional, value: u32s(med) };
  if (localPref !== undefined) yield { type: ATTRIBUTE.localPref, flags: wellKnown, value: u32s(localPref) };
  if (atomicAggregate) yield { type: ATTRIBUTE.atomicAggregate, flags: wellKnown, value: new Uint8Array(0) };
  if (aggregator) {
    const value = Uint8Array.from([...u32s(aggregator.asn), ...addressBytes(aggregator.address).bytes]);
    yield { type: ATTRIBUTE.aggregator, flags: transitive, value };
  }
  if (communities?.length) yield { type: ATTRIBUTE.communities, flags: transitive, value: u32s(...communities) };
  if (originatorId !== undefined) yield { type: ATTRIBUTE.originatorId, flags: optional, value: addressBytes(originatorId).bytes };
  if (clusterList?.length) {
    const value = Uint8Array.from(clusterList.flatMap((id) => [...addressBytes(id).bytes]));
    yield { type: ATTRIBUTE.clusterList, flags: optional, value };
  }
  if (extendedCommunities?.length) yield { type: ATTRIBUTE.extendedCommunities, flags: transitive, value: u64s(extendedCommunities) };
  if (largeCommunities?.length) {
    const value = u32s(...largeCommunities.flatMap(({ global, local1, local2 }: LargeCommunity) => [global, local1, local2]));
    yield { type: ATTRIBUTE.largeCommunities, flags: transitive, value };
  }
}

/** Appends one attribute; a long value takes the extended length, RFC 4271 §4.3. */
export function writeAttribute(writer: ByteWriter, { flags, type, value }: RawAttribute): void {
  const long = value.length > 255;
  writer.u8((flags & ~FLAG.extendedLength) | (long ? FLAG.extendedLength : 0)).u8(type);
  if (long) writer.u16(value.length);
  else writer.u8(value.length);
  writer.bytes(value);
}

function listOf<T>(value: Uint8Array, each: number, read: (reader: ByteReader) => T): T[] {
  const reader = new ByteReader(value);
  return Array.from({ length: value.length / each }, () => read(reader));
}

function addressText(bytes: Uint8Array): string {
  return new Ip(bytes.length === 4 ? 4 : 6, bytes).toString();
}

function u32s(...numbers: number[]): Uint8Array {
  const writer = new ByteWriter(4 * numbers.length);
  for (const number of numbers) writer.u32(number);
  return writer.done();
}

function u64s(numbers: readonly bigint[]): Uint8Array {
  const writer = new ByteWriter(8 * numbers.length);
  for (const number of numbers) writer.u64(number);
  return writer.done();
}
