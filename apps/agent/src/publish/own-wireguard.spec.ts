import { ManualClock, type Sink, SinkGroup, Store, seededRandom } from '@isthmus/core';
import { MemoryKvServer } from '@isthmus/kvstore';
import { decodeWireGuard, encodeWireGuard, wireGuardKey } from '@isthmus/mesh';
import type { WireGuardRow } from '@isthmus/model';
import { declareOwnWireGuard } from './own-wireguard.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const keyOf = (n: number): string => Buffer.alloc(32, n).toString('base64');
const record = (name: string, epoch: number): WireGuardRow => ({
  cluster: 'east',
  clusterId: 1,
  name,
  epochs: [{ epoch, publicKey: keyOf(epoch), port: epoch % 2 === 0 ? 51_871 : 51_872 }],
  minTx: epoch,
  laggards: [],
});

/** A cluster etcd with records of an earlier run of n1, and of n10. */
async function fixture(encrypts: boolean) {
  const clock = new ManualClock();
  const server = new MemoryKvServer({ clock });
  const kv = server.connect();
  for (const node of ['n1', 'n10']) await kv.put(wireGuardKey('east', node), encodeWireGuard(record(node, 6)));
  const store = new Store(clock);
  const group = new SinkGroup(store, clock, seededRandom(1), turn);
  const node = store.table<true>('own-node');
  const nodes: string[][] = [];
  const nodeSink = group.add({
    name: 'own-node',
    table: node.table,
    target: {
      update: async (rows) => {
        nodes.push(rows.map(({ key }) => key));
        return new Map();
      },
      delete: async () => new Map(),
    },
  });
  const after = [nodeSink] as Sink<unknown>[];
  const publish = declareOwnWireGuard({ store, group, kv, cluster: 'east', node: 'n1', encrypts, after });
  const stop = new AbortController();
  const running = group.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort(new Error('the test ends'));
    await running;
  };
  const settle = async (ms = 0): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      clock.advance(ms / 40);
      await turn();
    }
  };
  const epochOf = async (name: string): Promise<number | undefined> => {
    const entry = await kv.get(wireGuardKey('east', name));
    if (!entry) return undefined;
    const decoded = decodeWireGuard(entry.value, { cluster: 'east', clusterId: 1, maxConnectedClusters: 255, name });
    return decoded.ok ? decoded.value.epochs[0]?.epoch : Number.NaN;
  };
  return { kv, server, publish, end, settle, epochOf, node, nodes };
}

describe('declareOwnWireGuard', () => {
  it('writes the record as soon as the etcd answers, and once', async () => {
    const { server, publish, end, settle, epochOf } = await fixture(true);
    server.stop();
    publish(record('n1', 7));
    await settle(10_000);
    server.start();
    await settle(60_000);
    expect([await epochOf('n1'), await epochOf('n10')]).toEqual([7, 6]);
    const { revision } = server;
    publish(record('n1', 7));
    await settle();
    expect(server.revision).toBe(revision);
    await end();
  });

  it('writes a record again that somebody removed, when it is said again', async () => {
    const { kv, publish, end, settle, epochOf } = await fixture(true);
    publish(record('n1', 7));
    await settle();
    await kv.delete(wireGuardKey('east', 'n1'));
    publish(record('n1', 7));
    await settle();
    expect(await epochOf('n1')).toBe(7);
    await end();
  });

  it('comes after the node itself', async () => {
    const { publish, end, settle, node, nodes, server } = await fixture(true);
    const { revision } = server;
    node.put('n1', true);
    publish(record('n1', 7));
    expect(server.revision).toBe(revision);
    await settle();
    expect([nodes, server.revision]).toEqual([[['n1']], revision + 1]);
    await end();
  });

  it('keeps the record of an earlier run until there is another one', async () => {
    const { end, settle, epochOf } = await fixture(true);
    await settle(60_000);
    expect([await epochOf('n1'), await epochOf('n10')]).toEqual([6, 6]);
    await end();
  });

  it('takes the own record away where the node does not encrypt, and no other', async () => {
    const { end, settle, epochOf } = await fixture(false);
    await settle(60_000);
    expect([await epochOf('n1'), await epochOf('n10')]).toEqual([undefined, 6]);
    await end();
  });
});
