import fc from 'fast-check';
import { prefixRange } from '../../key-range.ts';
import type { KvCompare, KvOp } from '../../kvstore.ts';
import { encodeDelete, encodeLeaseGrant, encodeLeaseId, encodePut, encodeRange, encodeTxn, encodeWatch } from './encode.ts';
import { definition } from './protos.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

const read = (service: string, method: string, bytes: Buffer): unknown =>
  JSON.parse(JSON.stringify(definition(service, method).requestDeserialize(bytes)));
/** What the definitions make of a request and read again: the same as what they read of ours. */
const theirs = (service: string, method: string, request: object): unknown => {
  const { requestSerialize, requestDeserialize } = definition(service, method);
  return JSON.parse(JSON.stringify(requestDeserialize(requestSerialize(request))));
};
const expectSame = (service: string, method: string, ours: Buffer, request: object): void =>
  expect(read(service, method, ours)).toEqual(theirs(service, method, request));

const key = fc.string({ unit: 'grapheme', minLength: 1 });
const bytes = fc.uint8Array({ maxLength: 400 }).map((b) => Buffer.from(b));
const revision = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const lease = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String);
const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 300 }), bytes);

describe('etcd requests, written by hand', () => {
  it('are what the definitions write: range, put, deletion', () => {
    fc.assert(
      fc.property(key, bytes, revision, revision, text, fc.option(lease, { nil: undefined }), (k, end, limit, at, value, id) => {
        const wire = { key: Buffer.from(k), rangeEnd: end };
        expectSame('KV', 'Range', encodeRange({ key: k, rangeEnd: end, limit, revision: at }), { ...wire, limit, revision: at });
        expectSame('KV', 'DeleteRange', encodeDelete({ key: Buffer.from(k), rangeEnd: end }), wire);
        expectSame('KV', 'Put', encodePut({ key: k, value, lease: id }), {
          key: Buffer.from(k),
          value: Buffer.from(value),
          lease: id ?? 0,
        });
      }),
    );
  });

  it('are what the definitions write: transaction', () => {
    const op: fc.Arbitrary<KvOp> = fc.oneof(
      fc.record({ type: fc.constant('put' as const), key, value: text, lease }),
      fc.record({ type: fc.constant('delete' as const), key }),
      fc.record({ type: fc.constant('deletePrefix' as const), prefix: key }),
      fc.record({ type: fc.constant('get' as const), key, revision }),
    );
    const compare: fc.Arbitrary<KvCompare> = fc
      .tuple(
        key,
        fc.constantFrom('=' as const, '!=' as const, '<' as const, '>' as const),
        fc.oneof(
          fc.record({ modRevision: revision }),
          fc.record({ createRevision: revision }),
          fc.record({ version: revision }),
          fc.record({ value: text }),
          fc.record({ lease }),
        ),
      )
      .map(([k, relation, property]) => ({ key: k, op: relation, ...property }));
    const ops = fc.array(op, { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(compare, { maxLength: 3 }), ops, ops, (conditions, success, failure) => {
        const wire = { compare: conditions.map(wireCompare), success: success.map(wireOp), failure: failure.map(wireOp) };
        expectSame('KV', 'Txn', encodeTxn({ compare: conditions, success, failure }), wire);
      }),
    );
  });

  it('are what the definitions write: watch and lease', () => {
    fc.assert(
      fc.property(bytes, bytes, revision, fc.boolean(), lease, (start, end, at, prevKv, id) => {
        const createRequest = { key: start, rangeEnd: end, startRevision: at, progressNotify: true, prevKv, fragment: true };
        expectSame('Watch', 'Watch', encodeWatch({ key: start, rangeEnd: end, startRevision: at, prevKv }), { createRequest });
        expectSame('Lease', 'LeaseGrant', encodeLeaseGrant({ seconds: at }), { TTL: at });
        expectSame('Lease', 'LeaseKeepAlive', encodeLeaseId({ id }), { ID: id });
      }),
    );
  });
});

describe('WireWriter', () => {
  it('writes numbers of all sizes, and grows', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 100 }), (values) => {
        const writer = new WireWriter();
        for (const value of values.toReversed()) writer.decimal(1, String(value));
        const reader = new WireReader(writer.finish());
        for (const value of values) expect([reader.number(), reader.decimal()]).toEqual([8, String(value)]);
        expect(reader.done).toBe(true);
      }),
    );
  });
});

function wireOp(op: KvOp): object {
  if (op.type === 'put') return { requestPut: { key: Buffer.from(op.key), value: Buffer.from(op.value as string), lease: op.lease } };
  if (op.type === 'get') return { requestRange: { key: Buffer.from(op.key), revision: op.revision } };
  if (op.type === 'delete') return { requestDeleteRange: { key: Buffer.from(op.key) } };
  const { start, end } = prefixRange(op.prefix);
  return { requestDeleteRange: { key: start, rangeEnd: end } };
}

function wireCompare({ key: k, op, ...property }: KvCompare): object {
  const result = { '=': 'EQUAL', '!=': 'NOT_EQUAL', '<': 'LESS', '>': 'GREATER' }[op ?? '='];
  const target = { modRevision: 'MOD', createRevision: 'CREATE', version: 'VERSION', value: 'VALUE', lease: 'LEASE' }[
    Object.keys(property)[0] as 'value'
  ];
  const wire = 'value' in property ? { value: Buffer.from(property.value as string) } : property;
  return { key: Buffer.from(k), result, target, ...wire };
}
