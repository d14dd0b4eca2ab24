import { type Log, ManualClock, Store, seededRandom } from '@isthmus/core';
import { type KvStore, MemoryKvServer } from '@isthmus/kvstore';
import { identityRange, wireGuardKey, wireGuardTargetKey } from '@isthmus/mesh';
import { IDENTITY_GC_BLOCKED } from '../operator.errors.ts';
import type { OperatorNodeRow } from '../pod-cidrs/node-row.ts';
import { IdentityGc } from './identity-gc.ts';
import { NodeGc } from './node-gc.ts';
import { TwoPassSweep } from './two-pass-sweep.ts';

const SILENT: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const turns = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
};

async function identity(kv: KvStore, id: number, labels: string): Promise<void> {
  await kv.put(`cilium/state/identities/v1/id/${id}`, labels);
  await kv.put(`cilium/state/identities/v1/value/${labels}`, String(id));
}

function identities() {
  const clock = new ManualClock();
  const server = new MemoryKvServer({ clock, random: seededRandom(1) });
  const kv = server.connect();
  const gc = new IdentityGc({ kv, range: identityRange(3, 255), clock, log: SILENT });
  const keys = () => server.history.range('').map(({ key }) => key);
  return { clock, server, kv, gc, keys };
}

const FIRST = 3 << 16;

describe('TwoPassSweep', () => {
  it('gives what two passes in a row found unused and nobody wrote', () => {
    const sweep = new TwoPassSweep();
    expect(sweep.pass([{ key: 'a', modRevision: 1 }])).toEqual([]);
    expect(sweep.pass([{ key: 'a', modRevision: 1 }])).toEqual([{ key: 'a', modRevision: 1 }]);
    expect(sweep.pass([{ key: 'a', modRevision: 2 }])).toEqual([]);
    expect(sweep.pass([])).toEqual([]);
    expect(sweep.pass([{ key: 'a', modRevision: 2 }])).toEqual([]);
  });
});

describe('IdentityGc', () => {
  it('removes what two passes found unused, with its index, and lets the number rest for an hour', async () => {
    const { kv, gc, keys, clock } = identities();
    await identity(kv, FIRST + 1, 'k8s:app=old;');
    await identity(kv, FIRST + 2, 'k8s:app=web;');
    await kv.put('cilium/state/ip/v1/default/10.3.0.1', `{"IP":"10.3.0.1","ID":${FIRST + 2}}`);
    expect(await gc.pass()).toEqual({ alive: 2, deleted: 0 });
    expect(await gc.pass()).toEqual({ alive: 1, deleted: 1 });
    expect(keys()).toEqual([
      `cilium/state/identities/v1/id/${FIRST + 2}`,
      'cilium/state/identities/v1/value/k8s:app=web;',
      'cilium/state/ip/v1/default/10.3.0.1',
      `isthmus/identities/retired/${FIRST + 1}`,
    ]);
    for (let i = 0; i < 59; i++) {
      clock.advance(60_000);
      await turns();
    }
    expect(keys()).toContain(`isthmus/identities/retired/${FIRST + 1}`);
    clock.advance(60_000);
    await turns();
    expect(keys()).not.toContain(`isthmus/identities/retired/${FIRST + 1}`);
  });

  it('starts counting again when the identity was used or written in between', async () => {
    const { kv, gc } = identities();
    await identity(kv, FIRST + 1, 'k8s:app=a;');
    await gc.pass();
    await kv.put('cilium/state/ip/v1/default/10.3.0.1', `{"ID":${FIRST + 1}}`);
    await gc.pass();
    await kv.delete('cilium/state/ip/v1/default/10.3.0.1');
    expect((await gc.pass()).deleted).toBe(0);
    await kv.put(`cilium/state/identities/v1/id/${FIRST + 1}`, 'k8s:app=a;');
    expect((await gc.pass()).deleted).toBe(0);
    expect((await gc.pass()).deleted).toBe(1);
  });

  it('leaves an identity that is written while it is being removed', async () => {
    const { kv, gc, keys } = identities();
    await identity(kv, FIRST + 1, 'k8s:app=a;');
    await gc.pass();
    const get = kv.get.bind(kv);
    kv.get = async (key, options) => {
      await kv.put(`cilium/state/identities/v1/id/${FIRST + 1}`, 'k8s:app=a;'); // an agent keeps it
      return get(key, options);
    };
    expect((await gc.pass()).deleted).toBe(0);
    expect(keys()).toHaveLength(2);
  });

  it('leaves an index that leads to another number, and identities of others', async () => {
    const { kv, gc, keys } = identities();
    await identity(kv, FIRST + 1, 'k8s:app=a;');
    await kv.put('cilium/state/identities/v1/value/k8s:app=a;', String(FIRST + 9));
    await identity(kv, 300, 'k8s:app=before-the-mesh;');
    await gc.pass();
    await gc.pass();
    expect(keys().filter((key) => key.startsWith('cilium/'))).toEqual([
      'cilium/state/identities/v1/id/300',
      'cilium/state/identities/v1/value/k8s:app=a;',
      'cilium/state/identities/v1/value/k8s:app=before-the-mesh;',
    ]);
  });

  it('removes nothing while an address record cannot be read', async () => {
    const { kv, gc } = identities();
    await identity(kv, FIRST + 1, 'k8s:app=a;');
    await gc.pass();
    await kv.put('cilium/state/ip/v1/default/10.3.0.1', '{');
    await expect(gc.pass()).rejects.toMatchObject({ code: IDENTITY_GC_BLOCKED.code, object: 'cilium/state/ip/v1/default/10.3.0.1' });
    await kv.put('cilium/state/ip/v1/default/10.3.0.1', '{"IP":"10.3.0.1"}');
    await expect(gc.pass()).rejects.toMatchObject({ code: IDENTITY_GC_BLOCKED.code });
  });
});

describe('NodeGc', () => {
  it('removes records of own nodes that have no CiliumNode', async () => {
    const server = new MemoryKvServer();
    const kv = server.connect();
    const nodes = new Store(new ManualClock()).table<OperatorNodeRow>('nodes');
    const gc = new NodeGc({ kv, cluster: 'east', nodes: nodes.table, log: SILENT });
    nodes.put('n1', { name: 'n1', podCidrs: [], labels: {}, internalIps: [], podPools: [] });
    for (const key of ['east/n1', 'east/n2', 'east/n3', 'west/n2']) await kv.put(`cilium/state/nodes/v1/${key}`, '{}');
    for (const key of ['east/n1', 'east/n2', 'west/n2']) await kv.put(`cilium/state/isthmus/wireguard/v1/${key}`, '{}');
    expect(await gc.pass()).toBe(0);
    nodes.put('n3', { name: 'n3', podCidrs: [], labels: {}, internalIps: [], podPools: [] });
    expect(await gc.pass()).toBe(2);
    expect(server.history.range('').map(({ key }) => key.slice(13))).toEqual([
      'isthmus/wireguard/v1/east/n1',
      'isthmus/wireguard/v1/west/n2',
      'nodes/v1/east/n1',
      'nodes/v1/east/n3',
      'nodes/v1/west/n2',
    ]);
  });

  it('removes the keys of nodes that are gone, and leaves the target of the mesh', async () => {
    const server = new MemoryKvServer();
    const kv = server.connect();
    const nodes = new Store(new ManualClock()).table<OperatorNodeRow>('nodes');
    const gc = new NodeGc({ kv, cluster: 'east', nodes: nodes.table, log: SILENT });
    nodes.put('n1', { name: 'n1', podCidrs: [], labels: {}, internalIps: [], podPools: [] });
    const [kept, gone, target] = [wireGuardKey('east', 'n1'), wireGuardKey('east', 'n2'), wireGuardTargetKey('east')];
    for (const key of [kept, gone, target]) await kv.put(key, '{}');
    expect([await gc.pass(), await gc.pass()]).toEqual([0, 1]);
    expect(server.history.range('').map(({ key }) => key)).toEqual([target, kept]);
  });
});
