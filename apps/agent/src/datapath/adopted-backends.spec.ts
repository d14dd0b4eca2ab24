import { IdPool, LOCAL_SCOPE, ManualClock, Store } from '@isthmus/core';
import { addrKeyOfText, backendCodec, encodeServiceKey, encodeServiceValue, MapSink, MemoryRowMap } from '@isthmus/datapath';
import type { BackendSetRow } from '@isthmus/model';
import type { AdoptedBackendsRow } from '@isthmus/service';
import { AdoptedBackends } from './adopted-backends.ts';

const OWN = 1;

/** The maps of an earlier run: one frontend over a backend of each cluster. */
async function fixture() {
  const clock = new ManualClock();
  const pool = new IdPool({ name: 'b', min: 1, max: 99, graceMs: 0 }, clock);
  const backends = new MemoryRowMap('backends');
  const rows = [1, 2, 3].map((clusterId) => ({ key: `TCP/10.${clusterId}.0.5:80`, row: { clusterId } }));
  await new MapSink(backends, backendCodec(pool, OWN)).update(rows);
  const services = new MemoryRowMap('services');
  const slot = (number: number, backend: number): Promise<void> =>
    services.update(
      [encodeServiceKey({ addr: addrKeyOfText('10.96.0.9'), port: 443, protocol: 6, scope: 0, slot: number })],
      [encodeServiceValue({ backend, count: number === 0 ? 3 : 0, revnat: 0, flags: 0, affinityTimeout: 0 })],
    );
  await slot(0, 0);
  for (const [i, { key }] of rows.entries()) await slot(i + 1, pool.idOf(key));
  // A slot whose backend is gone.
  await slot(4, 98);
  const store = new Store(clock);
  const writer = store.table<AdoptedBackendsRow>('adopted');
  const remote = store.table<BackendSetRow>('remote');
  remote.synced(LOCAL_SCOPE);
  const adopted = new AdoptedBackends(store, writer, OWN);
  adopted.releaseWith(remote.table);
  adopted.adopt(services, backends);
  const kept = () => writer.table.get('TCP/10.96.0.9:443')?.backends.map(({ key }) => key);
  return { remote, kept, table: writer.table };
}

describe('AdoptedBackends', () => {
  it('keeps what the kernel holds of other clusters, until each is listed', async () => {
    const { remote, kept, table } = await fixture();
    expect(kept()).toEqual(['TCP/10.2.0.5:80', 'TCP/10.3.0.5:80']);
    remote.declare('cluster-2');
    expect(kept()).toHaveLength(2);
    remote.synced('cluster-2');
    expect(kept()).toEqual(['TCP/10.3.0.5:80']);
    // Cluster 3 is configured no more, which is known once all that are have been told of.
    remote.scopesKnown();
    expect([kept(), table.size]).toEqual([undefined, 0]);
  });
});
