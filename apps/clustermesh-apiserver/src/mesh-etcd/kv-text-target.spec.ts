import { CodedError, ManualClock } from '@isthmus/core';
import { KV_TOO_LARGE, type KvTxn, type KvTxnResult, MemoryKvServer } from '@isthmus/kvstore';
import { KvTextTarget } from './kv-text-target.ts';
import { MeshLease } from './mesh-lease.ts';

describe('KvTextTarget', () => {
  let server: MemoryKvServer;
  beforeEach(() => {
    server = new MemoryKvServer({ clock: new ManualClock() });
  });

  const target = (extra: Partial<ConstructorParameters<typeof KvTextTarget>[0]> = {}): KvTextTarget =>
    new KvTextTarget({ kv: server.connect(), prefix: 'p/', scopeOf: (key) => (key === 'foreign' ? undefined : 'local'), ...extra });
  const rows = (count: number): { key: string; row: string }[] => Array.from({ length: count }, (_, i) => ({ key: `k${i}`, row: `v${i}` }));

  it('writes only what differs', async () => {
    await target().update(rows(3));
    const { revision } = server;
    expect((await target().update(rows(3))).size).toBe(0);
    expect(server.revision).toBe(revision);
    await target().update([...rows(3), { key: 'k3', row: 'new' }]);
    expect(server.revision).toBe(revision + 1);
    expect(server.history.at('p/k0')!.version).toBe(1);
  });

  it('writes a single row in one round trip, and not at all when it is there', async () => {
    const kv = server.connect();
    let calls = 0;
    const txn = (each: KvTxn): Promise<KvTxnResult> => kv.txn(each).finally(() => calls++);
    let written = 0;
    const one = target({ kv: { list: kv.list.bind(kv), txn }, onWritten: () => written++ });
    for (const row of ['a', 'a', 'b']) await one.update([{ key: 'k', row }]);
    expect([calls, written, server.history.at('p/k')!.version]).toEqual([3, 2, 2]);
    // What a lease holds is not what is wanted without one.
    await kv.put('p/k', 'b', { lease: await new MeshLease(kv, 60, () => undefined).id() });
    await one.update([{ key: 'k', row: 'b' }]);
    expect([written, server.history.at('p/k')!.lease]).toEqual([3, '0']);
  });

  it('asks no more while it fills an etcd, and asks again when something is there', async () => {
    const kv = server.connect();
    const kinds: string[] = [];
    const txn = (each: KvTxn): Promise<KvTxnResult> => {
      kinds.push(each.compare ? 'create' : (each.success[0]?.type ?? 'nothing'));
      return kv.txn(each);
    };
    const filling = target({ kv: { list: kv.list.bind(kv), txn } });
    const some = (from: number): { key: string; row: string }[] => rows(from + 3).slice(from);
    const told = async (which: { key: string; row: string }[]): Promise<string> => {
      expect((await filling.update(which)).size).toBe(0);
      return kinds.splice(0).join(' ');
    };
    expect([await told(some(0)), await told(some(3))]).toEqual(['get put', 'create']);
    await kv.put('p/k7', 'other');
    expect([await told(some(6)), await told(some(0)), await told(some(9))]).toEqual(['create put', 'get', 'get put']);
    const there = server.history.range('p/').map(({ value }) => Buffer.from(value).toString());
    expect(there.sort()).toEqual(
      rows(12)
        .map(({ row }) => row)
        .sort(),
    );
  });

  it('puts any number of rows, 128 a transaction', async () => {
    const sizes: number[] = [];
    const kv = server.connect();
    const txn = (each: KvTxn): Promise<KvTxnResult> => {
      sizes.push(each.success.length);
      return kv.txn(each);
    };
    const counting = { list: kv.list.bind(kv), txn };
    await target({ kv: counting }).update(rows(300));
    expect(server.history.range('p/')).toHaveLength(300);
    expect(Math.max(...sizes)).toBe(128);
    await target().delete(rows(300).map(({ key }) => key));
    expect(server.history.range('p/')).toEqual([]);
  });

  it('splits what is too large together, and names the row that is too large alone', async () => {
    const kv = server.connect();
    const limited = {
      list: kv.list.bind(kv),
      txn: async (txn: KvTxn) => {
        const bytes = [...txn.success, ...(txn.failure ?? [])].reduce((sum, op) => sum + (op.type === 'put' ? op.value.length : 0), 0);
        if (bytes > 10) throw new CodedError(KV_TOO_LARGE, 'too large');
        return kv.txn(txn);
      },
    };
    let failed = 0;
    const failures = await target({ kv: limited, onFailures: (count) => (failed += count) }).update([
      ...rows(8),
      { key: 'huge', row: 'x'.repeat(11) },
    ]);
    expect([...failures.keys()]).toEqual(['huge']);
    expect(failed).toBe(1);
    expect(server.history.range('p/')).toHaveLength(8);
  });

  it('lists what is there, without what is others’', async () => {
    for (const key of ['p/a', 'p/foreign', 'q/b']) await server.connect().put(key, '');
    const found: unknown[] = [];
    for await (const batch of target().entries()) found.push(...batch);
    expect(found).toEqual([{ key: 'a', scope: 'local' }]);
  });

  it('counts a key as written only when its own lease holds it, and asks for a new lease when that is gone', async () => {
    let lost = 0;
    const lease = new MeshLease(server.connect(), 60, () => lost++);
    await server.connect().put('p/k0', 'v0');
    await target({ lease }).update(rows(1));
    const first = await lease.id();
    expect(server.history.at('p/k0')!.lease).toBe(first);
    server.leases.clear(); // a wiped server forgets leases without a word
    const failures = await target({ lease }).update([{ key: 'k1', row: 'v1' }]);
    expect([...failures.keys()]).toEqual(['k1']);
    expect(lost).toBe(1);
    expect((await target({ lease }).update(rows(2))).size).toBe(0);
    expect(server.history.at('p/k0')!.lease).toBe(await lease.id());
    expect(await lease.id()).not.toBe(first);
  });
});
