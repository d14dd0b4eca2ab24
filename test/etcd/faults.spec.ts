import { type EtcdKvStore, KV_LEASE_LOST, KV_QUOTA } from '@isthmus/kvstore';
import { rejection } from '../../libs/kvstore/testing/kvstore.contract.ts';
import { EtcdProcess } from './etcd-process.ts';
import { Mirrored, Truth, until } from './mirrored.ts';
import { TestPki } from './pki.ts';
import { TcpProxy } from './tcp-proxy.ts';

const KEYS = 300;
const FROZEN_MS = 30_000;
const LIMIT_MS = 60_000;

/** Each test: an etcd, a wire to it, a mirror at the wire's end, a writer that goes round the wire. */
describe('the mirror survives', () => {
  let pki: TestPki;
  let etcd: EtcdProcess;
  let proxy: TcpProxy;
  let writer: EtcdKvStore;
  let truth: Truth;
  let mirror: Mirrored;

  const start = async (flags: string[] = []): Promise<void> => {
    etcd = await EtcdProcess.start({ pki, flags });
    proxy = await TcpProxy.start(etcd.port);
    writer = await etcd.connect();
    truth = new Truth(writer);
    await Promise.all(Array.from({ length: KEYS }, (_, i) => truth.put(String(i), 'first')));
    const config = { ...(await etcd.config('reader')), endpoints: [`https://127.0.0.1:${proxy.port}`] };
    mirror = new Mirrored(await etcd.connect('reader', { config }), truth);
    await until(() => mirror.synced);
    expect(mirror.right).toBe(true);
    expect(mirror.news()).toEqual(new Set(['list', 'synced']));
  };
  /** Writes a little of everything. */
  const live = async (value: string): Promise<void> => {
    for (let i = 0; i < 10; i++) await truth.put(String(i), value);
    await truth.put(`new-${value}`, value);
    await truth.delete(`new-${value}-before`);
    await truth.delete(String(20 + value.length));
  };
  const converged = async (): Promise<void> => {
    await until(() => mirror.right && mirror.said.includes('synced'));
    expect(mirror.wrongDeletes).toEqual([]);
  };

  beforeAll(async () => {
    pki = await TestPki.create();
  });
  afterAll(() => pki.remove());
  afterEach(async () => {
    await mirror?.stop();
    await proxy?.close();
    await etcd?.close();
  });

  it(
    'kill -9 and restart, without listing again',
    async () => {
      await start();
      await etcd.kill();
      await until(() => mirror.said.includes('disconnected'));
      expect(mirror.right).toBe(true);
      await etcd.run();
      await live('second');
      await converged();
      expect(mirror.news()).toEqual(new Set(['disconnected', 'synced', 'watch']));
    },
    LIMIT_MS,
  );

  it(
    'a frozen server: noticed, waited out, taken up again; the lease is not believed in meanwhile',
    async () => {
      await start();
      const lease = await writer.grantLease(12);
      await writer.put('leased', '1', { lease: lease.id });
      const frozenAt = performance.now();
      await etcd.freeze();
      await until(() => mirror.said.includes('disconnected'), 12_000);
      await until(() => lease.lost.aborted, 14_000 - (performance.now() - frozenAt));
      expect(lease.lost.reason).toMatchObject({ code: KV_LEASE_LOST.code });
      expect(performance.now() - frozenAt).toBeLessThan(12_500);
      await until(() => performance.now() - frozenAt > FROZEN_MS, FROZEN_MS + 1_000);
      expect(mirror.right).toBe(true);
      expect(mirror.news()).toEqual(new Set(['disconnected']));
      etcd.thaw();
      await live('second');
      await converged();
      expect([...mirror.news()]).not.toContain('sweep');
    },
    LIMIT_MS + FROZEN_MS,
  );

  it(
    'a compaction while it was away',
    async () => {
      await start();
      proxy.cut();
      await until(() => mirror.said.includes('disconnected'));
      await live('second');
      await truth.others(50);
      await writer.maintenance.compact((await writer.status()).revision);
      proxy.join(etcd.port);
      await converged();
      expect(mirror.news()).toEqual(new Set(['disconnected', 'relist compacted', 'list', 'sweep', 'synced']));
    },
    LIMIT_MS,
  );

  it(
    'a wiped server that is filled again, past the old revision',
    async () => {
      for (const others of [0, 2_000]) {
        await start();
        proxy.cut();
        await etcd.wipe();
        await etcd.run();
        truth.content.clear();
        await truth.others(others);
        for (let i = 0; i < 50; i++) await truth.put(String(i), 'again');
        await Promise.all(Array.from({ length: 10 }, (_, i) => truth.put(`new-${i}`, 'again')));
        proxy.join(etcd.port);
        await converged();
        expect([...mirror.news()].filter((line) => line.startsWith('relist'))).toEqual([`relist ${others ? 'unproven' : 'went-back'}`]);
        await mirror.stop();
        await proxy.close();
        await etcd.close();
      }
    },
    LIMIT_MS,
  );

  it(
    'a server restored from an older copy, before and past the old revision',
    async () => {
      for (const others of [0, 100]) {
        await start();
        proxy.cut();
        await etcd.kill();
        const copy = await etcd.snapshot();
        const older = new Map(truth.content);
        await etcd.run();
        proxy.join(etcd.port);
        await live('lost');
        await until(() => mirror.right && mirror.said.includes('watch'));
        await etcd.kill();
        await etcd.restore(copy);
        proxy.cut();
        await etcd.run();
        truth.content.clear();
        for (const [key, value] of older) truth.content.set(key, value);
        await truth.put('5', 'another');
        await truth.others(others);
        proxy.join(etcd.port);
        await converged();
        expect([...mirror.news()]).toContain(`relist ${others ? 'rewritten' : 'went-back'}`);
        await mirror.stop();
        await proxy.close();
        await etcd.close();
      }
    },
    LIMIT_MS,
  );

  it(
    'another cluster at the same address',
    async () => {
      await start();
      const other = await EtcdProcess.start({ pki });
      try {
        proxy.cut();
        truth.content.clear();
        const elsewhere = new Truth(await other.connect());
        for (let i = 0; i < 5; i++) await elsewhere.put(String(i), 'other');
        for (const [key, value] of elsewhere.content) truth.content.set(key, value);
        proxy.join(other.port);
        await converged();
        expect([...mirror.news()]).toEqual(expect.arrayContaining(['relist other-cluster', 'sweep']));
      } finally {
        await other.close();
      }
    },
    LIMIT_MS,
  );

  it(
    'values of any size: pages are cut down; what is larger than a message stands in the way of nothing but itself',
    async () => {
      await start(['--max-request-bytes', '40000000', '--quota-backend-bytes', '400000000']);
      await mirror.stop();
      // Together more than one message may have.
      for (let i = 0; i < 30; i++) await truth.put(`big-${i}`, 'x'.repeat(900_000));
      mirror = new Mirrored(await etcd.connect('reader'), truth);
      await until(() => mirror.synced);
      expect(mirror.right).toBe(true);
      await writer.put('p/huge', 'x'.repeat(20_000_000));
      await until(() => mirror.said.includes('relist too-large') && mirror.said.includes('disconnected'));
      await writer.delete('p/huge');
      await live('second');
      await converged();
    },
    LIMIT_MS,
  );

  it(
    'a full server: writes are refused by name, reads go on, space can be made',
    async () => {
      await start(['--quota-backend-bytes', '4000000']);
      const fill = async (): Promise<void> => {
        for (;;) await writer.put('q/big', Buffer.alloc(200_000));
      };
      await rejection(fill(), KV_QUOTA);
      expect((await writer.status()).errors).toEqual(['NOSPACE']);
      expect(mirror.right).toBe(true);
      expect(mirror.news()).toEqual(new Set());
      await truth.delete('7');
      await until(() => mirror.right);
      await writer.maintenance.compact((await writer.status()).revision);
      await writer.maintenance.defragment();
      await writer.maintenance.clearAlarms();
      expect((await writer.status()).errors).toEqual([]);
      await live('second');
      await until(() => mirror.right);
      expect(mirror.wrongDeletes).toEqual([]);
    },
    LIMIT_MS,
  );
});

describe('a lease', () => {
  let etcd: EtcdProcess;
  beforeEach(async () => {
    etcd = await EtcdProcess.start();
  });
  afterEach(() => etcd.close());

  it(
    'outlives a restart of the server',
    async () => {
      const kv = await etcd.connect();
      const lease = await kv.grantLease(3);
      await kv.put('leased', '1', { lease: lease.id });
      const grantedAt = performance.now();
      await etcd.kill();
      await etcd.run();
      await until(() => performance.now() - grantedAt > 7_000, 8_000);
      expect(lease.lost.aborted).toBe(false);
      expect(await kv.get('leased')).toBeDefined();
      kv.close(); // stops keeping it alive: the server lets it run out
      const other = await etcd.connect();
      for await (const { events } of other.watch('leased')) if (events.some((event) => event.type === 'delete')) break;
    },
    LIMIT_MS,
  );

  it(
    'is known to be lost as soon as the server says so',
    async () => {
      const kv = await etcd.connect();
      const lease = await kv.grantLease(6);
      await etcd.wipe();
      await etcd.run();
      await until(() => lease.lost.aborted, 5_000);
      expect(lease.lost.reason.message).toContain('does not know it');
    },
    LIMIT_MS,
  );
});
