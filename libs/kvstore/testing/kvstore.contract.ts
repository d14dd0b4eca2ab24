import { type ErrorCode, isCoded } from '@isthmus/core';
import {
  KV_CLOSED,
  KV_COMPACTED,
  KV_LEASE_LOST,
  KV_REQUEST,
  KV_REVISION_AHEAD,
  KV_TOO_LARGE,
  type KvAuth,
  type KvCompare,
  type KvEntry,
  type KvMaintenance,
  type KvPage,
  type KvStore,
  type KvWatchOptions,
  type KvWatchResponse,
} from '../src/index.ts';

/** A connection as one user. */
export interface KvContractConnection {
  store: KvStore;
  auth: KvAuth;
  maintenance: KvMaintenance;
}

/** A server under test. `connect` may be called any number of times; `close` closes everything. */
export interface KvContractSubject {
  /** Connects as this user (`root` unless given), whose certificate, where there is one, the subject makes. */
  connect(user?: string): Promise<KvContractConnection>;
  close(): Promise<void>;
}

/** Rejects unless the promise rejects with this code; resolves with the error. */
export async function rejection(promise: Promise<unknown>, kind: ErrorCode): Promise<Error> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect((error as { code?: unknown } | undefined)?.code ?? error).toBe(kind.code);
  expect(isCoded(error, kind)).toBe(true);
  return error as Error;
}

/** All entries of a listing. */
export async function listAll(store: KvStore, prefix: string, pageSize?: number): Promise<KvEntry[]> {
  const entries: KvEntry[] = [];
  for await (const page of store.list(prefix, pageSize ? { pageSize } : {})) entries.push(...page.entries);
  return entries;
}

function text(entry: KvEntry | undefined): string | undefined {
  return entry && Buffer.from(entry.value).toString();
}

/** What a watch said so far, as lines, and a way to wait for more. */
function watching(store: KvStore, prefix: string, options: KvWatchOptions = {}) {
  const stop = new AbortController();
  const iterator = store.watch(prefix, { ...options, signal: stop.signal })[Symbol.asyncIterator]();
  const next = async (): Promise<KvWatchResponse> => (await iterator.next()).value as KvWatchResponse;
  const events = async (count: number): Promise<string[]> => {
    const lines: string[] = [];
    while (lines.length < count) for (const e of (await next()).events) lines.push(`${e.type} ${e.entry.key} ${text(e.entry)}`);
    return lines;
  };
  return { next, events, iterator, stop };
}

/** What every key-value store must do. `setup` starts a fresh, empty server. */
export function describeKvStore(name: string, setup: () => Promise<KvContractSubject>): void {
  describe(`KvStore contract: ${name}`, () => {
    let subject: KvContractSubject;
    let kv: KvStore;
    let maintenance: KvMaintenance;
    let serial = 0;
    let p: string;
    beforeAll(async () => {
      subject = await setup();
      ({ store: kv, maintenance } = await subject.connect());
    });
    afterAll(() => subject.close());
    beforeEach(() => {
      p = `t/${serial++}/`;
    });

    describe('keys', () => {
      it('stores, versions and reads back', async () => {
        expect(await kv.get(`${p}a`)).toBeUndefined();
        const first = await kv.put(`${p}a`, 'one');
        const second = await kv.put(`${p}a`, 'two');
        expect(second.revision).toBe(first.revision + 1);
        const entry = await kv.get(`${p}a`);
        expect(entry).toMatchObject({ key: `${p}a`, createRevision: first.revision, modRevision: second.revision, version: 2, lease: '0' });
        expect(text(entry)).toBe('two');
      });

      it('keeps bytes, empty values and UTF-8 keys', async () => {
        const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
        await kv.put(`${p}bytes`, bytes);
        await kv.put(`${p}empty`, '');
        await kv.put(`${p}schlüssel-鍵`, 'ö');
        expect(Buffer.from((await kv.get(`${p}bytes`))!.value)).toEqual(Buffer.from(bytes));
        expect((await kv.get(`${p}empty`))!.value).toHaveLength(0);
        expect((await listAll(kv, p)).map((e) => e.key)).toEqual([`${p}bytes`, `${p}empty`, `${p}schlüssel-鍵`]);
      });

      it('reads the past, not what is compacted, not the future', async () => {
        const { revision } = await kv.put(`${p}a`, 'old');
        await kv.put(`${p}a`, 'new');
        const deleted = await kv.delete(`${p}a`);
        expect(text(await kv.get(`${p}a`, { revision }))).toBe('old');
        expect(text(await kv.get(`${p}a`, { revision: revision + 1 }))).toBe('new');
        expect(await kv.get(`${p}a`, { revision: deleted.revision })).toBeUndefined();
        await maintenance.compact(deleted.revision);
        await maintenance.compact(deleted.revision);
        await rejection(kv.get(`${p}a`, { revision }), KV_COMPACTED);
        await rejection(kv.get(`${p}a`, { revision: deleted.revision + 1_000_000 }), KV_REVISION_AHEAD);
      });

      it('deletes one key or a prefix, and counts', async () => {
        for (const k of ['a', 'b/1', 'b/2', 'b0']) await kv.put(p + k, k);
        expect((await kv.delete(`${p}a`)).deleted).toBe(1);
        const again = await kv.delete(`${p}a`);
        expect(again.deleted).toBe(0);
        const all = await kv.deletePrefix(`${p}b/`);
        expect(all).toEqual({ deleted: 2, revision: again.revision + 1 });
        expect((await listAll(kv, p)).map((e) => e.key)).toEqual([`${p}b0`]);
      });

      it('refuses what is too large', async () => {
        await rejection(kv.put(`${p}a`, Buffer.alloc(2_000_000)), KV_TOO_LARGE);
        const success = Array.from({ length: 129 }, (_, i) => ({ type: 'put' as const, key: `${p}${i}`, value: '' }));
        await rejection(kv.txn({ success }), KV_TOO_LARGE);
        expect(await listAll(kv, p)).toEqual([]);
      });
    });

    describe('list', () => {
      it('gives one empty page for an empty prefix', async () => {
        const pages: KvPage[] = [];
        for await (const page of kv.list(p)) pages.push(page);
        const status = await kv.status();
        expect(pages).toEqual([{ entries: [], revision: status.revision, clusterId: status.clusterId }]);
      });

      it('shows one revision over all pages, in order, whatever happens meanwhile', async () => {
        const keys = Array.from({ length: 25 }, (_, i) => `${p}${String(i).padStart(2, '0')}`);
        await kv.txn({ success: keys.map((key) => ({ type: 'put', key, value: 'before' })) });
        const seen: KvEntry[] = [];
        const revisions = new Set<number>();
        for await (const page of kv.list(p, { pageSize: 4 })) {
          expect(page.entries.length).toBeLessThanOrEqual(4);
          seen.push(...page.entries);
          revisions.add(page.revision);
          await kv.txn({
            success: [
              { type: 'put', key: `${p}24`, value: 'after' },
              { type: 'put', key: `${p}99`, value: 'after' },
              { type: 'delete', key: `${p}20` },
            ],
          });
        }
        expect(seen.map((e) => e.key)).toEqual(keys);
        expect(new Set(seen.map(text))).toEqual(new Set(['before']));
        expect(revisions.size).toBe(1);
        expect((await listAll(kv, p)).length).toBe(25);
      });

      it('ends with KV_COMPACTED when its revision goes meanwhile', async () => {
        for (let i = 0; i < 8; i++) await kv.put(p + i, '');
        const slow = async (): Promise<void> => {
          for await (const _ of kv.list(p, { pageSize: 1 })) await maintenance.compact((await kv.put(`${p}0`, '')).revision);
        };
        await rejection(slow(), KV_COMPACTED);
      });
    });

    describe('txn', () => {
      it('takes one branch, atomically, at one revision', async () => {
        const txn = { compare: [{ key: `${p}a`, createRevision: 0 }] };
        const put = (value: string) => [
          { type: 'put' as const, key: `${p}a`, value },
          { type: 'put' as const, key: `${p}b`, value },
        ];
        const won = await kv.txn({ ...txn, success: put('1'), failure: [{ type: 'get', key: `${p}a` }] });
        const lost = await kv.txn({ ...txn, success: put('2'), failure: [{ type: 'get', key: `${p}a` }] });
        expect(won).toMatchObject({ succeeded: true, results: [{ type: 'put' }, { type: 'put' }] });
        expect(lost.succeeded).toBe(false);
        expect(lost.revision).toBe(won.revision);
        expect(lost.results[0]).toMatchObject({ type: 'get', entry: { key: `${p}a`, modRevision: won.revision } });
        expect(new Set((await listAll(kv, p)).map((e) => e.modRevision))).toEqual(new Set([won.revision]));
      });

      it('compares every property with every relation', async () => {
        const before = await kv.put(`${p}a`, 'l');
        const lease = await kv.grantLease(60);
        expect(lease.revision).toBeGreaterThanOrEqual(before.revision);
        await kv.delete(`${p}a`);
        await kv.put(`${p}a`, 'm');
        const { revision } = await kv.put(`${p}a`, 'm', { lease: lease.id });
        const cases: [KvCompare, boolean][] = [
          [{ key: `${p}a`, modRevision: revision }, true],
          [{ key: `${p}a`, modRevision: revision, op: '!=' }, false],
          [{ key: `${p}a`, modRevision: revision + 1, op: '<' }, true],
          [{ key: `${p}a`, createRevision: revision - 1 }, true],
          [{ key: `${p}a`, createRevision: revision, op: '>' }, false],
          [{ key: `${p}a`, version: 2 }, true],
          [{ key: `${p}a`, value: 'm' }, true],
          [{ key: `${p}a`, value: 'n', op: '<' }, true],
          [{ key: `${p}a`, value: Buffer.from('l'), op: '>' }, true],
          [{ key: `${p}a`, lease: lease.id }, true],
          [{ key: `${p}a`, lease: '0' }, false],
          [{ key: `${p}absent`, version: 0 }, true],
          [{ key: `${p}absent`, value: '' }, false],
        ];
        for (const [compare, holds] of cases) {
          expect({ compare, ...(await kv.txn({ compare: [compare], success: [] })) }).toMatchObject({ compare, succeeded: holds });
        }
        await lease.revoke();
      });

      it('gets, deletes and reads its own writes', async () => {
        await kv.txn({ success: ['a', 'b', 'c/1', 'c/2'].map((k) => ({ type: 'put', key: p + k, value: k })) });
        const { results } = await kv.txn({
          success: [
            { type: 'get', key: `${p}a` },
            { type: 'put', key: `${p}a`, value: 'A' },
            { type: 'get', key: `${p}a` },
            { type: 'delete', key: `${p}b` },
            { type: 'delete', key: `${p}absent` },
            { type: 'deletePrefix', prefix: `${p}c/` },
          ],
        });
        const entry = (i: number) => (results[i] as { entry?: KvEntry }).entry;
        expect([text(entry(0)), text(entry(2))]).toEqual(['a', 'A']);
        expect(results.slice(3)).toEqual([
          { type: 'delete', deleted: 1 },
          { type: 'delete', deleted: 0 },
          { type: 'deletePrefix', deleted: 2 },
        ]);
      });

      it('refuses to write a key twice', async () => {
        const put = { type: 'put' as const, key: `${p}a`, value: '' };
        await rejection(kv.txn({ success: [put, put] }), KV_REQUEST);
      });

      it('lets exactly one of many win', async () => {
        const race = Array.from({ length: 20 }, (_, i) =>
          kv.txn({ compare: [{ key: `${p}id`, createRevision: 0 }], success: [{ type: 'put', key: `${p}id`, value: String(i) }] }),
        );
        expect((await Promise.all(race)).filter((r) => r.succeeded)).toHaveLength(1);
      });
    });

    describe('watch', () => {
      it('says at once that it stands, then what changes, and nothing of others', async () => {
        const { revision } = await kv.put(`${p}a`, '0');
        const w = watching(kv, p);
        expect(await w.next()).toMatchObject({ kind: 'created', revision, storeRevision: revision, events: [] });
        await kv.put(`${p}a`, '1');
        await kv.put(`other${p}`, 'x');
        await kv.delete(`${p}a`);
        expect(await w.events(2)).toEqual([`put ${p}a 1`, `delete ${p}a `]);
        w.stop.abort();
        expect((await w.iterator.next()).done).toBe(true);
      });

      it('replays from a past revision', async () => {
        const { revision } = await kv.put(`${p}a`, '1');
        await kv.put(`${p}b`, '2');
        await kv.delete(`${p}a`);
        const w = watching(kv, p, { fromRevision: revision + 1 });
        expect(await w.next()).toMatchObject({ kind: 'created', revision, storeRevision: revision + 2 });
        expect(await w.events(2)).toEqual([`put ${p}b 2`, `delete ${p}a `]);
        w.stop.abort();
      });

      it('carries the entry before the change when asked', async () => {
        await kv.put(`${p}a`, 'old');
        const w = watching(kv, p, { prevKv: true });
        await w.next();
        await kv.put(`${p}a`, 'new');
        await kv.delete(`${p}a`);
        const seen = [...(await w.next()).events];
        while (seen.length < 2) seen.push(...(await w.next()).events);
        expect(seen.map((e) => text(e.prev))).toEqual(['old', 'new']);
        w.stop.abort();
      });

      it('never splits a revision, however large', async () => {
        const w = watching(kv, p, { prevKv: true }); // values before and after exceed one message of etcd's, which then splits it
        await w.next();
        const value = Buffer.alloc(11_000, 'x');
        const success = Array.from({ length: 128 }, (_, i) => ({ type: 'put' as const, key: p + i, value }));
        for (let i = 0; i < 2; i++) {
          const { revision } = await kv.txn({ success });
          const response = await w.next();
          expect(response.revision).toBe(revision);
          expect(response.events).toHaveLength(128);
        }
        w.stop.abort();
      });

      it('ends with KV_COMPACTED when its start is gone, also by one', async () => {
        const { revision } = await kv.put(`${p}a`, '1');
        const gone = await kv.delete(`${p}a`);
        await maintenance.compact(gone.revision);
        await rejection(
          watching(kv, p, { fromRevision: revision })
            .iterator.next()
            .then(() => watching(kv, p, { fromRevision: revision }).events(1)),
          KV_COMPACTED,
        );
        await rejection(watching(kv, p, { fromRevision: gone.revision }).events(1), KV_COMPACTED);
        const w = watching(kv, p, { fromRevision: gone.revision + 1 });
        await w.next();
        await kv.put(`${p}b`, '2');
        expect(await w.events(1)).toEqual([`put ${p}b 2`]);
        w.stop.abort();
      });

      it('stays in order under a thousand writes in flight', async () => {
        const w = watching(kv, p);
        await w.next();
        const puts = Array.from({ length: 1_000 }, (_, i) => kv.put(`${p}${i % 50}`, String(i)));
        const revisions: number[] = [];
        while (revisions.length < 1_000) for (const e of (await w.next()).events) revisions.push(e.entry.modRevision);
        expect(revisions).toEqual((await Promise.all(puts)).map((r) => r.revision).sort((a, b) => a - b));
        w.stop.abort();
      });
    });

    describe('leases', () => {
      it('hold keys until revoked, and let go of what is put without them', async () => {
        const lease = await kv.grantLease(60);
        await kv.put(`${p}a`, '1', { lease: lease.id });
        await kv.put(`${p}b`, '1', { lease: lease.id });
        await kv.put(`${p}b`, '2');
        expect((await kv.get(`${p}a`))!.lease).toBe(lease.id);
        expect((await kv.get(`${p}b`))!.lease).toBe('0');
        await lease.revoke();
        await lease.revoke();
        expect((await listAll(kv, p)).map((e) => e.key)).toEqual([`${p}b`]);
        expect(lease.lost.aborted).toBe(false);
        await rejection(kv.put(`${p}a`, '3', { lease: lease.id }), KV_LEASE_LOST);
      });
    });

    describe('witness', () => {
      it('stands, for every connection, and moves no revision', async () => {
        const { revision } = await kv.put(`${p}a`, '');
        const witness = await kv.witness();
        expect(await witness.stands()).toBe(true);
        expect(await witness.stands()).toBe(true);
        expect((await kv.status()).revision).toBe(revision);
      });
    });

    describe('connection', () => {
      it('tells its status', async () => {
        const { revision } = await kv.put(`${p}a`, '');
        const status = await kv.status();
        expect(status).toMatchObject({ revision, errors: [] });
        expect(status.clusterId).toMatch(/^[0-9]+$/);
        expect(status.memberId).toMatch(/^[0-9]+$/);
      });

      it('gives up when told to', async () => {
        const reason = new Error('enough');
        await expect(kv.put(`${p}a`, '', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
        const w = kv.watch(p, { signal: AbortSignal.abort(reason) })[Symbol.asyncIterator]();
        expect((await w.next()).done).toBe(true);
      });

      it('ends everything when closed', async () => {
        const other = (await subject.connect()).store;
        const w = watching(other, p);
        await w.next();
        const waiting = w.next();
        other.close();
        other.close();
        await rejection(waiting, KV_CLOSED);
        await rejection(other.put(`${p}a`, ''), KV_CLOSED);
      });
    });
  });
}
