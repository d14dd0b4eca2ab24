import { seededRandom, systemClock } from '@isthmus/core';
import { objectKey, POD, RESOURCE_CONFLICT } from '@isthmus/model';
import { describeResourceStore } from '../../../model/testing/resource-store.contract.ts';
import { MemoryKvServer } from '../adapters/memory/memory-server.ts';
import { KvResources } from './kv-resources.ts';

function resources(server: MemoryKvServer): KvResources {
  let serial = 0;
  return new KvResources({ kv: server.connect(), clock: systemClock, random: seededRandom(1), newUid: () => `uid-${++serial}` });
}

describeResourceStore('key-value store', async () => {
  const server = new MemoryKvServer();
  return {
    store: resources(server),
    corrupt: async (_plural, namespace, name) => void (await server.connect().put(objectKey(POD, name, namespace), '{"kind":"Pod"')),
    disconnect: () => server.disconnect(),
    close: async () => undefined,
  };
});

describe('KvResources', () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'shop' } };

  it('stores JSON without the version', async () => {
    const server = new MemoryKvServer();
    await resources(server).apply(POD, pod);
    const entry = await server.connect().get('isthmus/resources/core/v1/pods/shop/a');
    const stored = JSON.parse(Buffer.from(entry!.value).toString());
    expect(stored.metadata).toEqual({ name: 'a', namespace: 'shop', uid: 'uid-1', creationTimestamp: expect.any(String) });
    expect((await resources(server).get(POD, 'a', 'shop'))?.metadata.resourceVersion).toBe(String(entry!.modRevision));
  });

  it('does not take an object that names another place', async () => {
    const server = new MemoryKvServer();
    await server.connect().put(objectKey(POD, 'b', 'shop'), JSON.stringify(pod));
    expect(await resources(server).list(POD)).toEqual([]);
  });

  it('gives up after a bounded number of lost races', async () => {
    const server = new MemoryKvServer();
    const kv = server.connect();
    const store = resources(server);
    await store.apply(POD, pod);
    let tries = 0;
    const update = store.update(POD, 'a', 'shop', (current) => {
      server.txn({
        success: [{ type: 'put', key: objectKey(POD, 'a', 'shop'), value: JSON.stringify({ ...pod, spec: { nodeName: `n${tries}` } }) }],
      });
      return { ...current!, spec: { nodeName: `mine-${tries++}` } };
    });
    await expect(update).rejects.toMatchObject({ code: RESOURCE_CONFLICT.code, object: 'Pod shop/a' });
    expect(tries).toBe(16);
    kv.close();
  });
});
