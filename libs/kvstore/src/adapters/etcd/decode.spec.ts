import fc from 'fast-check';
import { decodeDeleteRange, decodeHeaderAnswer, decodeRange, decodeTxn, decodeWatch } from './decode.ts';
import { definition } from './protos.ts';

const encode = (service: string, method: string, message: object): Buffer => definition(service, method).responseSerialize(message);

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const i64 = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String);
const revision = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const key = fc.string({ unit: 'grapheme', minLength: 1 });
const value = fc.uint8Array({ maxLength: 300 }).map((b) => Buffer.from(b));
const header = fc.record({ clusterId: u64, memberId: u64, revision });
const entry = fc.record({ key, value, createRevision: revision, modRevision: revision, version: revision, lease: i64 });

type Entry = typeof entry extends fc.Arbitrary<infer T> ? T : never;
const wireHeader = (h: { revision: number }): object => ({ ...h, raftTerm: 3 });
const wireEntry = (e: Entry): object => ({ ...e, key: Buffer.from(e.key) });

describe('etcd answers, read by hand', () => {
  it('are read as the definitions write them: range', () => {
    fc.assert(
      fc.property(header, fc.array(entry, { maxLength: 5 }), fc.boolean(), (h, entries, more) => {
        const buffer = encode('KV', 'Range', { header: wireHeader(h), kvs: entries.map(wireEntry), more, count: 5 });
        expect(decodeRange(buffer)).toEqual({ header: h, entries, more });
      }),
    );
  });

  it('are read as the definitions write them: watch', () => {
    const event = fc.record({
      type: fc.constantFrom('put' as const, 'delete' as const),
      entry,
      prev: fc.option(entry, { nil: undefined }),
    });
    fc.assert(
      fc.property(header, fc.array(event, { maxLength: 5 }), fc.boolean(), revision, fc.string(), (h, events, flag, at, reason) => {
        const wire = events.map((e) => ({ type: e.type.toUpperCase(), kv: wireEntry(e.entry), prevKv: e.prev && wireEntry(e.prev) }));
        const flags = { created: flag, canceled: !flag, fragment: flag };
        const message = { header: wireHeader(h), watchId: -1, ...flags, compactRevision: at, cancelReason: reason, events: wire };
        const expected = { header: h, ...flags, compactRevision: at, cancelReason: reason, events };
        expect(decodeWatch(encode('Watch', 'Watch', message))).toEqual(expected);
      }),
    );
  });

  it('are read as the definitions write them: transaction and deletion', () => {
    fc.assert(
      fc.property(header, entry, revision, (h, e, deleted) => {
        const responses = [
          { responseRange: { header: wireHeader(h), kvs: [wireEntry(e)], count: 1 } },
          { responseRange: { header: wireHeader(h) } },
          { responsePut: { header: wireHeader(h) } },
          { responseDeleteRange: { header: wireHeader(h), deleted } },
        ];
        expect(decodeTxn(encode('KV', 'Txn', { header: wireHeader(h), succeeded: true, responses }))).toEqual({
          header: h,
          succeeded: true,
          results: [{ type: 'get', entry: e }, { type: 'get', entry: undefined }, { type: 'put' }, { type: 'delete', deleted }],
        });
        expect(decodeDeleteRange(encode('KV', 'DeleteRange', { header: wireHeader(h), deleted }))).toEqual({ header: h, deleted });
        expect(decodeHeaderAnswer(encode('KV', 'Put', { header: wireHeader(h) })).header).toEqual(h);
      }),
    );
  });

  it('never hang and never read beyond the end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const decode of [decodeRange, decodeWatch, decodeTxn, decodeDeleteRange]) {
          try {
            decode(Buffer.from(bytes));
          } catch (error) {
            expect((error as Error).message).toMatch(/ends early|wire type|no key/);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
