import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { GOLDEN } from '../testing/golden.ts';
import { decodeClusterConfig, encodeClusterConfig } from './cluster-config.codec.ts';
import { decodeConfiguredCluster, encodeConfiguredCluster } from './configured-cluster.codec.ts';
import { type Decoded, DROP_REASONS } from './decode-result.ts';
import { DropCounters } from './drop-counters.ts';
import { parseMeshKey } from './mesh-key.ts';
import { decodeRecord, encodeRecord } from './record.codec.ts';
import { RECORD_KINDS, type RecordKind } from './record-kind.ts';

// What another cluster may write: records that were good once, a little or entirely broken. Whatever it is, a codec answers with a row or with
// one of its reasons, a row is no larger than the bytes that it came from allow, and is written so that it is read back as the same row.

const utf8 = new TextEncoder();

/** A codec with a valid value of its, under one key. */
interface Subject {
  readonly kind: RecordKind | undefined;
  readonly text: string;
  readonly decode: (bytes: Uint8Array) => Decoded<unknown>;
  readonly encode: (value: never) => string;
}

function record(kind: RecordKind, golden: keyof typeof GOLDEN, name: string): Subject {
  const context = { cluster: 'cluster3', clusterId: 3, maxConnectedClusters: 255 as const, name };
  const decode = (bytes: Uint8Array): Decoded<unknown> => decodeRecord(kind, bytes, context);
  return { kind, text: GOLDEN[golden], decode, encode: (value) => encodeRecord(kind, value) };
}

const SUBJECTS: readonly Subject[] = [
  record('nodes', 'nodeFull', 'worker-1'),
  record('nodes', 'nodeBare', 'n'),
  record('identities', 'identity', '196915'),
  record('ips', 'ipPod', '10.244.1.79'),
  record('ips', 'ipPorts', 'fd00::1'),
  record('ips', 'ipNet', '10.1.0.0/16'),
  record('services', 'service', 'default/echo'),
  record('services', 'serviceBare', 'default/echo'),
  record('serviceexports', 'serviceExport', 'default/echo'),
  record('serviceexports', 'serviceExportFull', 'default/echo'),
  record('wireguard', 'wireGuard', 'worker-1'),
  record('wireguard', 'wireGuardBare', 'worker-1'),
  record('wireguardtargets', 'wireGuardTarget', 'target'),
  { kind: undefined, text: GOLDEN.clusterConfig, decode: decodeClusterConfig, encode: encodeClusterConfig },
  { kind: undefined, text: GOLDEN.clusterConfigCached, decode: decodeClusterConfig, encode: encodeClusterConfig },
  { kind: undefined, text: GOLDEN.clusterConfigOurs, decode: decodeClusterConfig, encode: encodeClusterConfig },
  { kind: undefined, text: '{"id":3}', decode: decodeConfiguredCluster, encode: encodeConfiguredCluster },
];

/** Bytes that mean something to a reader of JSON, UTF-8, labels, addresses or numbers. */
const TELLING = [...utf8.encode('"\\{}[]:;,=/.-+eE019 \n'), 0x00, 0x7f, 0x80, 0xc0, 0xe2, 0xed, 0xf4, 0xff];
/** Pieces of JSON that are legal in most places and right in few. */
const PIECES = [
  'null',
  'true',
  '{}',
  '[]',
  '""',
  '-1',
  '1e999',
  '1e-9',
  '18446744073709551616',
  '"\\ud800"',
  '"__proto__":{},',
  '::',
  '/64',
  ';;',
];

/** One change of bytes. `at` and `length` are parts of the whole, so that a change fits whatever came before it. */
type Mutation = (bytes: Uint8Array) => Uint8Array;
const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const span = fc.tuple(place, fc.nat(24)).map(([at, length]) => (bytes: Uint8Array): [number, number] => {
  const from = Math.floor(at * bytes.length);
  return [from, Math.min(bytes.length, from + length)];
});
const foreign = fc.oneof(
  fc.constantFrom(...PIECES).map((text) => utf8.encode(text)),
  fc.json({ maxDepth: 3 }).map((text) => utf8.encode(text)),
  fc.uint8Array({ maxLength: 12 }),
  fc.constantFrom(...SUBJECTS).map(({ text }) => utf8.encode(text)),
);
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(
    ([at, bit]): Mutation =>
      (bytes) => {
        const flipped = Uint8Array.from(bytes);
        if (flipped.length > 0) flipped[Math.floor(at * flipped.length)]! ^= 1 << bit;
        return flipped;
      },
  ),
  fc.tuple(place, fc.constantFrom(...TELLING)).map(
    ([at, byte]): Mutation =>
      (bytes) => {
        const set = Uint8Array.from(bytes);
        if (set.length > 0) set[Math.floor(at * set.length)] = byte;
        return set;
      },
  ),
  fc.tuple(span, foreign).map(
    ([cut, other]): Mutation =>
      (bytes) => {
        const [from, to] = cut(bytes);
        return joined(bytes.subarray(0, from), other, bytes.subarray(to));
      },
  ),
  span.map(
    (cut): Mutation =>
      (bytes) => {
        const [from, to] = cut(bytes);
        return joined(bytes.subarray(0, to), bytes.subarray(from));
      },
  ),
  place.map(
    (at): Mutation =>
      (bytes) =>
        bytes.subarray(0, Math.floor(at * bytes.length)),
  ),
);

/** A value of JSON with one place anywhere in it replaced. */
function replaced(value: unknown, path: readonly number[], by: unknown): unknown {
  const [index, ...rest] = path;
  if (index === undefined || typeof value !== 'object' || value === null) return by;
  if (Array.isArray(value)) {
    const at = index % (value.length + 1);
    return [...value.slice(0, at), replaced(value[at], rest, by), ...value.slice(at + 1)];
  }
  const keys = Object.keys(value);
  if (keys.length === 0) return { x: by };
  const key = keys[index % keys.length]!;
  return { ...value, [key]: replaced((value as Record<string, unknown>)[key], rest, by) };
}

/** What values of our formats look like, right and wrong. */
const plausible = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    '',
    '10.0.0.1',
    '::ffff:10.0.0.1',
    'fe80::1%eth0',
    '10.0.0.0/8',
    '300.1.1.1',
    '/wAAAA==',
    '2024-05-01T10:00:00+02:00',
  ),
  fc.constantFrom<unknown>('0001-01-01T00:00:00Z', -1, 0, 65_536, 2 ** 32, 1e21, 0.5, true, null, [], {}, [null], { '': null }),
  fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), { maxKeys: 3 }),
);

const REASONS: ReadonlySet<string> = new Set(DROP_REASONS);

/** Checks what holds for any bytes; answers how it was read. Without `expect`, which would cost more than all else in so many cases. */
function judge({ decode, encode }: Subject, bytes: Uint8Array): Decoded<unknown> {
  const decoded = decode(bytes);
  if (!decoded.ok) {
    if (!REASONS.has(decoded.reason)) throw new Error(`${decoded.reason} is no reason`);
    return decoded;
  }
  const text = encode(decoded.value as never);
  const written = utf8.encode(text);
  // A byte becomes at most six (\u003c), and fields that are absent are written with their names.
  if (written.length > 6 * bytes.length + 512) throw new Error(`${bytes.length} bytes became ${written.length}`);
  if (!isDeepStrictEqual(decode(written), decoded)) throw new Error(`not read back: ${text}`);
  return decoded;
}

/** Runs a property over all subjects and counts what it came to. */
function judgeAll(of: (subject: Subject) => fc.Arbitrary<Uint8Array>, numRuns: number): { read: number; counters: DropCounters } {
  const counters = new DropCounters();
  let read = 0;
  const cases = fc.constantFrom(...SUBJECTS).chain((subject) => of(subject).map((bytes) => [subject, bytes] as const));
  fc.assert(
    fc.property(cases, ([subject, bytes]) => {
      const decoded = judge(subject, bytes);
      if (decoded.ok) read++;
      else if (subject.kind !== undefined) counters.add(subject.kind, decoded.reason, '');
    }),
    { numRuns },
  );
  return { read, counters };
}

it('the subjects themselves are read', () => {
  for (const subject of SUBJECTS) expect(judge(subject, utf8.encode(subject.text))).toMatchObject({ ok: true });
});

it('good records with broken bytes', () => {
  const broken = ({ text }: Subject): fc.Arbitrary<Uint8Array> =>
    fc
      .array(mutation, { minLength: 1, maxLength: 3 })
      .map((all) => all.reduce<Uint8Array>((bytes, change) => change(bytes), utf8.encode(text)));
  const { read, counters } = judgeAll(broken, 12_000);
  // The mutations are worth something: many are read, many are dropped, each for one of few reasons.
  expect(read).toBeGreaterThan(300);
  const list = counters.list();
  expect(new Set(list.map(({ kind }) => kind))).toEqual(new Set(RECORD_KINDS));
  expect(list.length).toBeLessThanOrEqual(RECORD_KINDS.length * DROP_REASONS.length); // whatever is written, no more counters than that
});

it('good records with other values anywhere', () => {
  const other = ({ text }: Subject): fc.Arbitrary<Uint8Array> => {
    if (!text.startsWith('{')) return fc.string({ unit: 'binary', maxLength: 200 }).map((labels) => utf8.encode(text + labels));
    const path = fc.array(fc.nat(30), { minLength: 1, maxLength: 5 });
    return fc.tuple(path, plausible).map(([at, value]) => utf8.encode(JSON.stringify(replaced(JSON.parse(text), at, value))));
  };
  expect(judgeAll(other, 8_000).read).toBeGreaterThan(500);
});

it('any bytes, and any JSON', () => {
  const any = (): fc.Arbitrary<Uint8Array> =>
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json().map((text) => utf8.encode(text)),
    );
  judgeAll(any, 4_000);
});

it('any key', () => {
  const parts = [
    'cilium',
    'state',
    'cache',
    'nodes',
    'identities',
    'ip',
    'v1',
    'id',
    'default',
    'synced',
    '.heartbeat',
    'isthmus',
    'wireguard',
    '',
    'a',
    '/',
  ];
  const key = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...parts), { maxLength: 9 }).map((all) => all.join('/')),
  );
  fc.assert(
    fc.property(key, (text) => {
      const parsed = parseMeshKey(text);
      if (parsed?.type === 'record') expect(text.endsWith(parsed.name)).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});
