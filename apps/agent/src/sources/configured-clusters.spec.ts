import { ManualClock, seededRandom } from '@isthmus/core';
import { MemoryKvServer } from '@isthmus/kvstore';
import { isthmusClusterKey, isthmusClustersCanaryKey } from '@isthmus/mesh';
import { ConfiguredClusters } from './configured-clusters.ts';

const MARK = isthmusClustersCanaryKey('east');

function fixture() {
  const clock = new ManualClock();
  const server = new MemoryKvServer({ clock });
  const kv = server.connect();
  const said: string[] = [];
  const own = server.connect();
  const clusters = new ConfiguredClusters({
    kv: own,
    ownCluster: 'east',
    clock,
    random: seededRandom(1),
    onConfigured: (cluster, { id }) => said.push(`${cluster}=${id}`),
    onRemoved: (cluster) => said.push(`-${cluster}`),
    onComplete: () => said.push('complete'),
    onDisconnected: () => undefined,
  });
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  const start = (): void => {
    running = clusters.run(stop.signal);
  };
  const settle = async (ms = 0): Promise<string[]> => {
    for (let i = 0; i < 60; i++) {
      clock.advance(ms / 60);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return said.splice(0);
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
    expect(server.watchCount).toBe(0);
  };
  const put = (cluster: string, id: number) => kv.put(isthmusClusterKey(cluster), JSON.stringify({ id }));
  return { server, own, kv, clusters, start, settle, end, put };
}

describe('ConfiguredClusters', () => {
  it('tells what is listed at once, and that it is all only under the mark', async () => {
    const { kv, start, settle, end, put, clusters } = fixture();
    await put('west', 2);
    await kv.put(isthmusClusterKey('north'), 'not json');
    start();
    expect(await settle()).toEqual(['north=0', 'west=2']);
    expect(clusters.complete).toBe(false);
    await kv.put(MARK, 'now');
    expect(await settle()).toEqual(['complete']);
    await put('south', 4);
    await put('north', 3);
    expect(await settle()).toEqual(['south=4', 'north=3']);
    await end();
  });

  it('is complete when there are none', async () => {
    const { kv, start, settle, end } = fixture();
    start();
    expect(await settle()).toEqual([]);
    await kv.put(MARK, 'now');
    expect(await settle()).toEqual(['complete']);
    await end();
  });

  it('removes a cluster that leaves the list under the mark', async () => {
    const { kv, start, settle, end, put } = fixture();
    await put('west', 2);
    await kv.put(MARK, 'now');
    start();
    await settle();
    await kv.delete(isthmusClusterKey('west'));
    expect(await settle()).toEqual(['-west']);
    await put('west', 2);
    expect(await settle()).toEqual(['west=2']);
    await end();
  });

  it('believes no removal while the mark is away', async () => {
    const { kv, start, settle, end, put } = fixture();
    await put('west', 2);
    await put('north', 3);
    await kv.put(MARK, 'now');
    start();
    await settle();
    await kv.delete(MARK);
    await settle();
    await kv.delete(isthmusClusterKey('west'));
    await kv.delete(isthmusClusterKey('north'));
    expect(await settle(60_000)).toEqual([]);
    await put('north', 3);
    await kv.put(MARK, 'later');
    expect(await settle()).toEqual(['north=3', '-west']);
    await end();
  });

  it('takes no cluster away when the etcd is wiped, and filled again in any order', async () => {
    for (const newCluster of [false, true]) {
      const { server, kv, start, settle, end, put } = fixture();
      await put('west', 2);
      await put('north', 3);
      await kv.put(MARK, 'now');
      start();
      await settle();
      server.wipe({ newCluster });
      expect(await settle(60_000)).toEqual([]);
      await put('north', 3);
      expect(await settle(60_000)).toEqual(['north=3']);
      await kv.put(MARK, 'again');
      expect(await settle(60_000)).toEqual(['-west']);
      await end();
    }
  });

  it('believes no list that is older than its mark', async () => {
    const { server, own, kv, start, settle, end, put } = fixture();
    await put('west', 2);
    await kv.put(MARK, 'now');
    start();
    await settle();
    // Wiped before the list is read, and filled again before the mark is.
    const list = own.list.bind(own);
    own.list = async function* (prefix, options) {
      own.list = list;
      server.wipe();
      yield* list(prefix, options);
      const west = { type: 'put' as const, key: isthmusClusterKey('west'), value: '{"id":2}' };
      await kv.txn({ success: [west, { type: 'put', key: MARK, value: 'again' }] });
    };
    await kv.delete(isthmusClusterKey('west'));
    expect((await settle(60_000)).filter((line) => line !== 'west=2')).toEqual([]);
    await end();
  });

  it('goes on by itself after the etcd was away', async () => {
    const { server, kv, start, settle, end, put } = fixture();
    server.stop();
    start();
    expect(await settle(60_000)).toEqual([]);
    server.start();
    await put('west', 2);
    await kv.put(MARK, 'now');
    expect(await settle(60_000)).toEqual(['west=2', 'complete']);
    server.stop();
    await settle(60_000);
    server.start();
    await kv.delete(isthmusClusterKey('west'));
    expect(await settle(60_000)).toEqual(['-west']);
    await end();
  });
});
