import { ManualClock, Store } from '@isthmus/core';
import type { EndpointRow, NativeNodeRow, NodeRow } from '@isthmus/model';
import { declareLocalAddresses, type HostAddressRow } from './local-addresses.ts';
import { declareRoutes } from './routes.ts';

describe('local addresses', () => {
  function fixture() {
    const store = new Store(new ManualClock());
    const endpoints = store.table<EndpointRow>('endpoints');
    const hosts = store.table<HostAddressRow>('hosts');
    const put = (id: number, ipv4: string, identity: number, ipv6 = '') =>
      endpoints.put(String(id), { id, ifindex: 10 + id, ipv4, ipv6, identity, mac: 'm', hostMac: 'h' } as EndpointRow);
    return { endpoints, hosts, put, table: declareLocalAddresses(store, endpoints.table, hosts.table) };
  }

  it('has a pod under both addresses, ready once it has an identity', () => {
    const { put, table, endpoints } = fixture();
    put(1, '10.1.0.5', 0, 'fd00::5');
    expect(table.get('10.1.0.5')).toEqual({ endpoint: 1, ifindex: 11, identity: 0, mac: 'm', hostMac: 'h', ready: false, host: false });
    put(1, '10.1.0.5', 65_800, 'fd00::5');
    expect([table.get('10.1.0.5')?.ready, table.get('fd00::5')?.identity]).toEqual([true, 65_800]);
    put(1, '10.1.0.6', 65_800, 'fd00::5');
    expect([table.has('10.1.0.5'), table.size]).toEqual([false, 2]);
    endpoints.delete('1');
    expect(table.size).toBe(0);
  });

  it('lets no pod take over an address of the node', () => {
    const { put, hosts, table } = fixture();
    put(1, '10.1.0.1', 65_800);
    hosts.put('10.1.0.1', { ifindex: 3 });
    expect(table.get('10.1.0.1')).toMatchObject({ host: true, identity: 1, ifindex: 3, endpoint: 0, ready: true });
    hosts.delete('10.1.0.1');
    expect(table.get('10.1.0.1')).toMatchObject({ host: false, endpoint: 1 });
  });
});

describe('routes', () => {
  it('has every pod CIDR of the mesh, the first claim counting', () => {
    const store = new Store(new ManualClock());
    const [local, remote] = [store.table<NodeRow>('local'), store.table<NodeRow>('remote')];
    const native = store.table<NativeNodeRow>('native');
    const routes = declareRoutes(store, [local.table, remote.table], native.table, 1450);
    const node = (clusterId: number, ...podCidrs: string[]) => ({ clusterId, podCidrs }) as unknown as NodeRow;
    remote.put('west/n1', node(2, '10.2.0.0/24', 'fd00:2::/120'));
    remote.put('north/n1', node(3, '10.2.0.0/24'));
    expect(routes.get('10.2.0.0/24')).toEqual({ clusterId: 3, mtu: 1450 });
    local.put('east/n1', node(1, '10.2.0.0/24'));
    expect(routes.get('10.2.0.0/24')?.clusterId).toBe(1);
    local.delete('east/n1');
    remote.delete('north/n1');
    expect([routes.get('10.2.0.0/24')?.clusterId, routes.get('fd00:2::/120')?.clusterId]).toEqual([2, 2]);
    remote.put('west/n1', node(2, 'fd00:2::/120'));
    expect([...routes.rows()].map(([key]) => key)).toEqual(['fd00:2::/120']);
    native.put('west/n1', { cluster: 'west', clusterId: 2, name: 'n1' });
    expect(routes.size).toBe(0);
    native.delete('west/n1');
    expect(routes.size).toBe(1);
  });
});
