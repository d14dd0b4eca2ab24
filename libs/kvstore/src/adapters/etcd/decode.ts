import type { KvEntry, KvEvent, KvOpResult } from '../../kvstore.ts';
import { WireReader } from './wire-reader.ts';

/** The header of every answer. */
export interface EtcdHeader {
  clusterId: string;
  memberId: string;
  revision: number;
}

/** An answer of which only the header matters. */
export interface HeaderAnswer {
  header: EtcdHeader;
}

/** The answer to a range request. */
export interface RangeAnswer extends HeaderAnswer {
  entries: KvEntry[];
  more: boolean;
}

/** The answer to a range request whose entries are read when they are wanted: all at once would hold the event loop. */
export interface PageAnswer extends HeaderAnswer {
  count: number;
  /** Of the whole message. */
  bytes: number;
  more: boolean;
  /** Entries `from` to before `to`. */
  entries(from: number, to: number): KvEntry[];
}

/** The answer to a transaction; `results` lack the kind of their deletion, which the request knows. */
export interface TxnAnswer extends HeaderAnswer {
  succeeded: boolean;
  results: KvOpResult[];
}

/** The answer to a lease that was granted or renewed. */
export interface LeaseAnswer extends HeaderAnswer {
  /** Decimal. */
  id: string;
  /** Time to live; 0 when there is no such lease. */
  seconds: number;
}

/** What a server says when asked for its status. */
export interface StatusAnswer extends HeaderAnswer {
  version: string;
  dbSize: number;
  /** Decimal member id; `'0'` when there is none. */
  leader: string;
  errors: string[];
}

/** One message of a watch stream. */
export interface WatchAnswer extends HeaderAnswer {
  created: boolean;
  canceled: boolean;
  compactRevision: number;
  cancelReason: string;
  fragment: boolean;
  events: KvEvent[];
}

const EMPTY = Buffer.alloc(0);
/** A field's tag: number and wire type (0 varint, 2 length-delimited). */
const varint = (field: number): number => field * 8;
const block = (field: number): number => field * 8 + 2;

function noHeader(): EtcdHeader {
  return { clusterId: '0', memberId: '0', revision: 0 };
}

function decodeHeader(reader: WireReader): EtcdHeader {
  const header = noHeader();
  while (!reader.done) {
    const tag = reader.number();
    if (tag === varint(1)) header.clusterId = reader.decimal();
    else if (tag === varint(2)) header.memberId = reader.decimal();
    else if (tag === varint(3)) header.revision = reader.number();
    else reader.skip(tag);
  }
  return header;
}

function decodeEntry(reader: WireReader): KvEntry {
  const entry: KvEntry = { key: '', value: EMPTY, createRevision: 0, modRevision: 0, version: 0, lease: '0' };
  while (!reader.done) {
    const tag = reader.number();
    if (tag === block(1)) entry.key = reader.text();
    else if (tag === varint(2)) entry.createRevision = reader.number();
    else if (tag === varint(3)) entry.modRevision = reader.number();
    else if (tag === varint(4)) entry.version = reader.number();
    else if (tag === block(5)) entry.value = reader.bytes();
    else if (tag === varint(6)) entry.lease = reader.decimal();
    else reader.skip(tag);
  }
  return entry;
}

function decodeEvent(reader: WireReader): KvEvent {
  const event: KvEvent = { type: 'put', entry: undefined as unknown as KvEntry };
  while (!reader.done) {
    const tag = reader.number();
    if (tag === varint(1)) event.type = reader.number() === 1 ? 'delete' : 'put';
    else if (tag === block(2)) event.entry = decodeEntry(reader.message());
    else if (tag === block(3)) event.prev = decodeEntry(reader.message());
    else reader.skip(tag);
  }
  if (!event.entry) throw new Error('an event has no key');
  return event;
}

function readRange(reader: WireReader): RangeAnswer {
  const answer: RangeAnswer = { header: noHeader(), entries: [], more: false };
  while (!reader.done) {
    const tag = reader.number();
    if (tag === block(2)) answer.entries.push(decodeEntry(reader.message()));
    else if (tag === block(1)) answer.header = decodeHeader(reader.message());
    else if (tag === varint(3)) answer.more = reader.number() !== 0;
    else reader.skip(tag);
  }
  return answer;
}

function readDeleted(reader: WireReader): HeaderAnswer & { deleted: number } {
  const answer = { header: noHeader(), deleted: 0 };
  while (!reader.done) {
    const tag = reader.number();
    if (tag === block(1)) answer.header = decodeHeader(reader.message());
    else if (tag === varint(2)) answer.deleted = reader.number();
    else reader.skip(tag);
  }
  return answer;
}

function readResult(reader: WireReader): KvOpResult {
  let result: KvOpResult = { type: 'put' };
  while (!reader.done) {
    const tag = reader.number();
    if (tag === block(1)) result = { type: 'get', entry: readRange(reader.message()).entries[0] };
    else if (tag === block(3)) result = { type: 'delete', deleted: readDeleted(reader.message()).deleted };
    else reader.skip(tag);
  }
  return result;
}

/** Reads any answer for its header alone (field 1 in all of them). */
export function decodeHeaderAnswer(buffer: Buffer): HeaderAnswer {
  return readDeleted(new WireReader(buffer));
}

/** Reads a `RangeResponse`. Values are views into `buffer`. */
export function decodeRange(buffer: Buffer): RangeAnswer {
  return readRange(new WireReader(buffer));
}

/** Reads a `RangeResponse` without its entries. Values are views into `buffer`. */
export function decodePage(buffer: Buffer): PageAnswer {
  const reader = new WireReader(buffer);
  const found: WireReader[] = [];
  const answer = { header: noHeader(), more: false };
  while (!reader.done) {
    const tag = reader.number();
    if (tag === block(2)) found.push(reader.message());
    else if (tag === block(1)) answer.header = decodeHeader(reader.message());
    else if (tag === varint(3)) answer.more = reader.number() !== 0;
    else reader.skip(tag);
  }
  const entries = (from: number, to: number): KvEntry[] => found.slice(from, to).map((each) => decodeEntry(each.again()));
  return { ...answer, count: found.length, bytes: buffer.length, entries };
}

/** Reads a `DeleteRangeResponse`. */
export function decodeDeleteRange(buffer: Buffer): HeaderAnswer & { deleted: number } {
  return readDeleted(new WireReader(buffer));
}

/** Reads a `TxnResponse`. */
export function decodeTxn(buffer: Buffer): TxnAnswer {
  const reader = new WireReader(buffer);
  const answer: TxnAnswer = { header: noHeader(), succeeded: false, results: [] };
  while (!reader.done) {
    const tag = reader.number();
    if (tag === block(1)) answer.header = decodeHeader(reader.message());
    else if (tag === varint(2)) answer.succeeded = reader.number() !== 0;
    else if (tag === block(3)) answer.results.push(readResult(reader.message()));
    else reader.skip(tag);
  }
  return answer;
}

/** Reads a `WatchResponse`. */
export function decodeWatch(buffer: Buffer): WatchAnswer {
  const reader = new WireReader(buffer);
  const answer: WatchAnswer = {
    header: noHeader(),
    created: false,
    canceled: false,
    compactRevision: 0,
    cancelReason: '',
    fragment: false,
    events: [],
  };
  while (!reader.done) readWatchField(reader, reader.number(), answer);
  return answer;
}

function readWatchField(reader: WireReader, tag: number, answer: WatchAnswer): void {
  if (tag === block(11)) answer.events.push(decodeEvent(reader.message()));
  else if (tag === block(1)) answer.header = decodeHeader(reader.message());
  else if (tag === varint(3)) answer.created = reader.number() !== 0;
  else if (tag === varint(4)) answer.canceled = reader.number() !== 0;
  else if (tag === varint(5)) answer.compactRevision = reader.number();
  else if (tag === block(6)) answer.cancelReason = reader.text();
  else if (tag === varint(7)) answer.fragment = reader.number() !== 0;
  else reader.skip(tag);
}

/** Reads a `LeaseGrantResponse`. */
export function decodeLeaseGrant(buffer: Buffer): LeaseAnswer {
  return readLease(buffer);
}

/** Reads a `LeaseKeepAliveResponse`. */
export function decodeKeepAlive(buffer: Buffer): LeaseAnswer {
  return readLease(buffer);
}

function readLease(buffer: Buffer): LeaseAnswer {
  const reader = new WireReader(buffer);
  const answer = { header: noHeader(), id: '0', seconds: 0 };
  while (!reader.done) {
    const tag = reader.number();
    if (tag === block(1)) answer.header = decodeHeader(reader.message());
    else if (tag === varint(2)) answer.id = reader.decimal();
    else if (tag === varint(3)) answer.seconds = reader.number();
    else reader.skip(tag);
  }
  return answer;
}

/** Reads a `StatusResponse`. */
export function decodeStatus(buffer: Buffer): StatusAnswer {
  const reader = new WireReader(buffer);
  const answer: StatusAnswer = { header: noHeader(), version: '', dbSize: 0, leader: '0', errors: [] };
  while (!reader.done) {
    const tag = reader.number();
    if (tag === block(1)) answer.header = decodeHeader(reader.message());
    else if (tag === block(2)) answer.version = reader.text();
    else if (tag === varint(3)) answer.dbSize = reader.number();
    else if (tag === varint(4)) answer.leader = reader.decimal();
    else if (tag === block(8)) answer.errors.push(reader.text());
    else reader.skip(tag);
  }
  return answer;
}
