import { type Log, ManualClock, seededRandom } from '@isthmus/core';
import { IdentityAllocator, type IdentityRange } from '@isthmus/identity';
import type { EtcdKvStore } from '@isthmus/kvstore';
import { identityKey, ipKey } from '@isthmus/mesh';
import { KvIdentityRegistry } from '../../apps/agent/src/identity/kv-identity-registry.ts';
import { IdentityGc } from '../../apps/operator/src/gc/identity-gc.ts';
import { EtcdProcess } from './etcd-process.ts';
import { keysOf, until } from './mesh-cluster.ts';

const ALLOCATORS = 50;
const HOUR_MS = 3_600_000;
const TIMEOUT_MS = 30_000;
const IDS = 'cilium/state/identities/v1/id/';
const VALUES = 'cilium/state/identities/v1/value/';
const SILENT: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

let etcd: EtcdProcess;
let stores: EtcdKvStore[];

beforeAll(async () => {
  etcd = await EtcdProcess.start();
  stores = await Promise.all(Array.from({ length: ALLOCATORS }, () => etcd.connect()));
  // All are connected before they race.
  await Promise.all(stores.map((store) => store.status()));
}, TIMEOUT_MS);

afterAll(() => etcd?.close(), TIMEOUT_MS);
beforeEach(() => stores[0]!.deletePrefix(''));

/** One allocator per connection, as on fifty nodes. */
const allocators = (range: IdentityRange, seed = 1): IdentityAllocator[] =>
  stores.map((store, i) => new IdentityAllocator(new KvIdentityRegistry(store), range, seededRandom(seed * 1000 + i)));
const labels = (n: number | string): string => `k8s:app=${n};k8s:io.cilium.k8s.policy.cluster=east;`;
/** Numbers by labels, as etcd has them in both directions; they must agree. */
async function agreed(): Promise<Map<string, number>> {
  const [ids, values] = [await keysOf(stores[0]!, IDS), await keysOf(stores[0]!, VALUES)];
  const byLabels = new Map(Object.entries(values).map(([key, id]) => [key.slice(VALUES.length), Number(id)]));
  const fromIds = new Map(Object.entries(ids).map(([key, text]) => [text, Number(key.slice(IDS.length))]));
  expect(fromIds).toEqual(byLabels);
  expect(Object.keys(ids)).toHaveLength(byLabels.size);
  return byLabels;
}

describe('fifty allocators', () => {
  const range = { cluster: 'east', min: 65_536, max: 131_071 };

  it('that race for one label set agree on one number', async () => {
    for (let round = 0; round < 10; round++) {
      const ids = await Promise.all(allocators(range, round).map((each) => each.allocate(labels(round))));
      expect(new Set(ids).size).toBe(1);
      expect((await agreed()).get(labels(round))).toBe(ids[0]);
    }
    expect((await agreed()).size).toBe(10);
  });

  it('that race for fifty label sets get fifty numbers, also where there are no more than fifty', async () => {
    for (const max of [range.max, range.min + ALLOCATORS - 1]) {
      await stores[0]!.deletePrefix('');
      const ids = await Promise.all(allocators({ ...range, max }).map((each, i) => each.allocate(labels(i))));
      expect(new Set(ids).size).toBe(ALLOCATORS);
      const map = await agreed();
      expect(ids.map((id, i) => [labels(i), id])).toEqual(ids.map((_, i) => [labels(i), map.get(labels(i))]));
    }
  });

  it('that all want all of ten label sets, in any order and with no number to spare, agree on each', async () => {
    const orders = Array.from({ length: ALLOCATORS }, (_, i) => Array.from({ length: 10 }, (__, j) => (i * 7 + j * 3) % 10));
    const all = await Promise.all(
      allocators({ ...range, max: range.min + 9 }).map(async (each, i) => {
        const ids = new Map<number, number>();
        for (const n of orders[i]!) ids.set(n, await each.allocate(labels(n)));
        return ids;
      }),
    );
    const map = await agreed();
    expect(map.size).toBe(10);
    for (const ids of all) for (const [n, id] of ids) expect(id).toBe(map.get(labels(n)));
  });

  it('that keep one vanished number create it once, and leave one that came back with other labels', async () => {
    const [first, ...others] = allocators(range);
    const id = await first!.allocate(labels('web'));
    await stores[0]!.deletePrefix('cilium/'); // an etcd restored from before
    expect(new Set(await Promise.all([first!, ...others].map((each) => each.keep(id, labels('web')))))).toEqual(new Set([id]));
    expect(await agreed()).toEqual(new Map([[labels('web'), id]]));
    await stores[0]!.deletePrefix('cilium/');
    await stores[0]!.put(identityKey(id), labels('thief'));
    const moved = new Set(await Promise.all([first!, ...others].map((each) => each.keep(id, labels('web')))));
    expect(moved.size).toBe(1);
    expect(moved.has(id)).toBe(false);
    expect(await keysOf(stores[0]!, identityKey(id))).toEqual({ [identityKey(id)]: labels('thief') });
  });
});

describe('a range without a free number', () => {
  const range = { cluster: 'east', min: 65_536, max: 65_543 };
  const clock = new ManualClock();

  it('is said with its cluster; what the collector removes serves again after an hour, and not before', async () => {
    const [one, another] = allocators(range);
    const ids = await Promise.all(Array.from({ length: 8 }, (_, n) => one!.allocate(labels(n))));
    const exhausted = (): Promise<void> =>
      expect(another!.allocate(labels('more'))).rejects.toMatchObject({
        code: 'IDENTITY_EXHAUSTED',
        object: '65536-65543',
        message: expect.stringContaining('the range of cluster east'),
      });
    await exhausted();
    // All but one are in use.
    const unused = ids.pop()!;
    for (const id of ids) await stores[0]!.put(ipKey(`10.1.0.${id % 256}`), `{"IP":"10.1.0.${id % 256}","ID":${id}}`);
    const gc = new IdentityGc({ kv: stores[1]!, range, clock, log: SILENT });
    expect((await gc.pass()).deleted).toBe(0);
    await exhausted();
    expect(await gc.pass()).toEqual({ alive: 7, deleted: 1 });
    await exhausted();
    clock.advance(HOUR_MS - 1);
    expect(await stores[0]!.get(`isthmus/identities/retired/${unused}`)).toBeDefined();
    await exhausted();
    clock.advance(1);
    await until('the hour is over', async () => (await stores[0]!.get(`isthmus/identities/retired/${unused}`)) === undefined);
    expect(await another!.allocate(labels('more'))).toBe(unused);
    expect((await agreed()).get(labels('more'))).toBe(unused);
    await exhaustedFor(one!);
  });

  const exhaustedFor = (allocator: IdentityAllocator): Promise<void> =>
    expect(allocator.allocate(labels('and more'))).rejects.toMatchObject({ code: 'IDENTITY_EXHAUSTED' });

  it('still serves label sets that have their number', async () => {
    const [one, another] = allocators(range);
    const ids = await Promise.all(Array.from({ length: 8 }, (_, n) => one!.allocate(labels(n))));
    expect(await Promise.all(ids.map((_, n) => another!.allocate(labels(n))))).toEqual(ids);
    await exhaustedFor(another!);
  });
});
