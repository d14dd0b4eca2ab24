import { flush, RemoteHarness } from '../testing/remote-cluster.harness.ts';
import { ClusterIds } from './cluster-ids.ts';
import { ipKey } from './keys.ts';

describe('refusing', () => {
  const refused: [string, Parameters<RemoteHarness['putConfig']>[0], string][] = [
    ['our own id', { id: 1 }, 'MESH_ID_OWN'],
    ['id 0', { id: 0 }, 'MESH_CLUSTER_ID_INVALID'],
    ['an id beyond the mesh', { id: 256 }, 'MESH_CLUSTER_ID_INVALID'],
    ['another size of the mesh', { maxConnectedClusters: 511 }, 'MESH_SIZE_MISMATCH'],
    ['another encapsulation', { tunnelProtocol: 'geneve' }, 'MESH_TUNNEL_MISMATCH'],
    ['an encapsulation that we do not know', { tunnelProtocol: 'gre' }, 'MESH_TUNNEL_MISMATCH'],
  ];

  it.each(refused)('%s, until that is mended', async (_, patch, code) => {
    const h = new RemoteHarness();
    h.putRecords();
    h.putCanaries();
    h.putConfig(patch);
    h.remote.start();
    await flush();
    expect([h.state, h.problem]).toEqual(['failed', code]);
    expect(h.sink.log).toEqual([]);
    h.putConfig();
    await flush();
    expect(h.state).toBe('ready');
  });

  it('nothing for an encapsulation that is not told, or is ours', async () => {
    for (const tunnelProtocol of ['', 'vxlan']) {
      const h = await new RemoteHarness().ready();
      h.putConfig({ tunnelProtocol });
      await flush();
      expect([h.state, h.problem]).toEqual(['ready', undefined]);
    }
  });

  it('another id than it joined with, until it has that one again', async () => {
    const h = await new RemoteHarness({ joinedId: 3 }).ready();
    h.putConfig({ id: 4 });
    await flush();
    expect([h.state, h.problem, h.sink.drains]).toEqual(['failed', 'MESH_ID_CHANGED', 0]);
    expect([h.ids.owner(3), h.ids.owner(4)]).toEqual(['cluster3', undefined]);
    expect(h.sink.names('nodes')).toHaveLength(2);
    h.putConfig();
    await flush();
    expect(h.state).toBe('ready');
  });

  it('a configuration that cannot be read', async () => {
    const h = new RemoteHarness();
    h.store.put('cilium/cluster-config/cluster3', 'garbage');
    h.remote.start();
    await flush();
    expect([h.state, h.problem]).toEqual(['failed', 'MESH_CONFIG_INVALID']);
    h.expireConfig();
    await flush();
    expect(h.state).toBe('fetching-config');
  });

  it('our own name, and names that are none', async () => {
    for (const [cluster, code] of [
      ['own', 'MESH_NAME_OWN'],
      ['default', 'MESH_CLUSTER_NAME_INVALID'],
    ] as const) {
      const h = new RemoteHarness({ cluster });
      h.store.put(`cilium/cluster-config/${cluster}`, '{"id":9}');
      h.remote.start();
      await flush();
      expect([h.state, h.problem]).toEqual(['failed', code]);
    }
  });

  it('the id of another remote, until that one is removed', async () => {
    const ids = new ClusterIds();
    const first = await new RemoteHarness({ ids }).ready();
    const second = new RemoteHarness({ ids, cluster: 'other' });
    second.store.put('cilium/cluster-config/other', '{"id":3}');
    second.remote.start();
    await flush();
    expect([second.state, second.problem]).toEqual(['failed', 'MESH_ID_TAKEN']);
    first.remote.remove();
    await flush();
    expect(second.state).toBe('ready');
    expect(ids.owner(3)).toBe('other');
  });

  it('keeps what it has when a good configuration turns bad', async () => {
    const h = await new RemoteHarness().ready();
    h.putConfig({ maxConnectedClusters: 511 });
    await flush();
    expect([h.state, h.problem]).toEqual(['failed', 'MESH_SIZE_MISMATCH']);
    expect(h.sink.names('ips')).toHaveLength(2);
    h.store.delete(ipKey('10.244.1.1'));
    h.putConfig();
    await flush();
    expect(h.state).toBe('ready');
    expect(h.sink.names('ips')).toEqual(['10.244.1.2']);
    expect(h.sink.drains).toBe(0);
  });
});
