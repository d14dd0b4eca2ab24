import { addressBytes, ByteReader, ByteWriter, Ip } from '@isthmus/net';
import { readAsPath, writeAsPath } from './as-path.codec.ts';
import { ATTRIBUTE, FLAG } from './attribute-type.ts';
import { BlockWriter } from './block-writer.ts';
import type { Origin, PathAttributes, UnknownAttribute } from './path-attributes.ts';

const OPTIONAL_TRANSITIVE = FLAG.optional | FLAG.transitive;

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

const writer = new BlockWriter();

/** Writes a block: types ascending, AS numbers four octets wide, without the next hop. The same attributes give the same bytes. */
export function encodeAttributes(attributes: PathAttributes): Uint8Array {
  const { origin, asPath, unknown = [] } = attributes;
  writer.reset();
  const rest = unknown.length < 2 ? unknown : unknown.toSorted((a, b) => a.type - b.type);
  let at = 0;
  /** What the speaker does not know has its place among what it knows. */
  const upTo = (type: number): void => {
    for (; at < rest.length && rest[at]!.type < type; at++) writer.attribute(rest[at]!.flags, rest[at]!.type, rest[at]!.value);
  };
  upTo(ATTRIBUTE.asPath);
  writer.attribute(FLAG.transitive, ATTRIBUTE.origin, [origin]);
  writer.attribute(FLAG.transitive, ATTRIBUTE.asPath, writeAsPath(asPath, 4));
  upTo(ATTRIBUTE.med);
  writeNumbers(attributes);
  upTo(ATTRIBUTE.communities);
  writeLists(attributes, upTo);
  upTo(Number.POSITIVE_INFINITY);
  return writer.done();
}

/** From MED to AGGREGATOR. */
function writeNumbers({ med, localPref, atomicAggregate, aggregator }: PathAttributes): void {
  if (med !== undefined) writeU32s(FLAG.optional, ATTRIBUTE.med, [med]);
  if (localPref !== undefined) writeU32s(FLAG.transitive, ATTRIBUTE.localPref, [localPref]);
  if (atomicAggregate) writer.head(FLAG.transitive, ATTRIBUTE.atomicAggregate, 0);
  if (aggregator === undefined) return;
  writer.head(OPTIONAL_TRANSITIVE, ATTRIBUTE.aggregator, 8);
  writer.u32(aggregator.asn);
  writer.bytes(addressBytes(aggregator.address).bytes);
}

/** From COMMUNITIES on. */
function writeLists(attributes: PathAttributes, upTo: (type: number) => void): void {
  const { communities, originatorId, clusterList, extendedCommunities, largeCommunities } = attributes;
  if (communities?.length) writeU32s(OPTIONAL_TRANSITIVE, ATTRIBUTE.communities, communities);
  upTo(ATTRIBUTE.originatorId);
  if (originatorId !== undefined) writer.attribute(FLAG.optional, ATTRIBUTE.originatorId, addressBytes(originatorId).bytes);
  if (clusterList?.length) {
    writer.head(FLAG.optional, ATTRIBUTE.clusterList, 4 * clusterList.length);
    for (const id of clusterList) writer.bytes(addressBytes(id).bytes);
  }
  upTo(ATTRIBUTE.extendedCommunities);
  if (extendedCommunities?.length) writer.attribute(OPTIONAL_TRANSITIVE, ATTRIBUTE.extendedCommunities, u64s(extendedCommunities));
  upTo(ATTRIBUTE.largeCommunities);
  if (!largeCommunities?.length) return;
  writer.head(OPTIONAL_TRANSITIVE, ATTRIBUTE.largeCommunities, 12 * largeCommunities.length);
  for (const { global, local1, local2 } of largeCommunities) for (const part of [global, local1, local2]) writer.u32(part);
}

function writeU32s(flags: number, type: number, numbers: readonly number[]): void {
  writer.head(flags, type, 4 * numbers.length);
  for (const number of numbers) writer.u32(number);
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

function u64s(numbers: readonly bigint[]): Uint8Array {
  const writer = new ByteWriter(8 * numbers.length);
  for (const number of numbers) writer.u64(number);
  return writer.done();
}
