import { ManualClock, seededRandom } from '@isthmus/core';
import { KvResources, MemoryKvServer } from '@isthmus/kvstore';
import { POD, type Pod } from '@isthmus/model';
import { PodStatusSink } from './pod-status-sink.ts';

const HOST = '172.30.1.1';
const row = { podIps: ['10.1.0.5', 'fd00::5'], hostIp: HOST };

async function fixture(...pods: string[]) {
  const clock = new ManualClock();
  const server = new MemoryKvServer({ clock });
  const resources = new KvResources({ kv: server.connect(), clock, random: seededRandom(1), newUid: () => 'u' });
  for (const name of pods) await resources.apply<Pod>(POD, { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop' } });
  const status = async (name: string) => (await resources.get<Pod>(POD, name, 'shop'))?.status;
  const set = (name: string, value: NonNullable<Pod['status']>) =>
    resources.update<Pod>(POD, name, 'shop', (pod) => pod && { ...pod, status: value });
  return { server, resources, sink: new PodStatusSink(resources, HOST), status, set };
}

describe('PodStatusSink', () => {
  it('writes addresses once, and keeps what others say', async () => {
    const { sink, status, set, server } = await fixture('web');
    await set('web', { reason: 'kept' });
    await sink.update([{ key: 'shop/web', row }]);
    expect(await status('web')).toEqual({
      reason: 'kept',
      phase: 'Running',
      hostIP: HOST,
      podIPs: [{ ip: '10.1.0.5' }, { ip: 'fd00::5' }],
    });
    const { revision } = server;
    await sink.update([{ key: 'shop/web', row }]);
    expect(server.revision).toBe(revision);
  });

  it('has nothing to say of a pod that is gone', async () => {
    const { sink, resources } = await fixture();
    expect(await sink.update([{ key: 'shop/web', row }])).toEqual(new Map());
    expect(await sink.delete(['shop/web'])).toEqual(new Map());
    expect(await resources.list(POD)).toEqual([]);
  });

  it('takes its addresses away, not those of the node where the pod runs now', async () => {
    const { sink, status, set } = await fixture('web', 'db');
    await sink.update([{ key: 'shop/web', row }]);
    await set('db', { hostIP: '172.30.1.2', podIPs: [{ ip: '10.1.1.9' }] });
    await sink.delete(['shop/web', 'shop/db']);
    expect((await status('web'))?.podIPs).toBeUndefined();
    expect((await status('db'))?.podIPs).toEqual([{ ip: '10.1.1.9' }]);
  });

  it('finds the statuses of this node that still have addresses', async () => {
    const { sink, set } = await fixture('web', 'db', 'old', 'new');
    await sink.update([{ key: 'shop/web', row }]);
    await set('db', { hostIP: '172.30.1.2', podIPs: [{ ip: '10.1.1.9' }] });
    await set('old', { hostIP: HOST });
    const found = [];
    for await (const batch of sink.entries()) found.push(...batch);
    expect(found).toEqual([{ key: 'shop/web', scope: 'local' }]);
  });

  it('says of each pod why it failed', async () => {
    const { sink, server } = await fixture('web');
    server.stop();
    expect([...(await sink.update([{ key: 'shop/web', row }])).keys()]).toEqual(['shop/web']);
  });
});
