import { ManualClock, Store } from '@isthmus/core';
import type { LearnedRouteRow, NodeRow, RoutingModeName, WireGuardTxRow } from '@isthmus/model';
import { declareNativeNodes } from './native-nodes.ts';
import { declarePeers } from './peers.ts';

const VIA: LearnedRouteRow = { nextHops: [{ address: '192.0.2.1' }] };

function fixture(mode: RoutingModeName = 'auto') {
  const store = new Store(new ManualClock());
  const [local, remote] = [store.table<NodeRow>('nodes'), store.table<NodeRow>('remote-nodes')];
  const learned = store.table<LearnedRouteRow>('learned-routes');
  const nodes = [local.table, remote.table];
  const installed = store.table<true>('kernel-routes');
  const native = declareNativeNodes(store, nodes, learned.table, installed.table);
  const peers = declarePeers(
    store,
    nodes,
    { cluster: 'east', node: 'n1' },
    { mode, native, tx: store.table<WireGuardTxRow>('wireguard-tx').table },
  );
  const node = (cluster: string, name: string, internalIp: string, ...podCidrs: string[]): void =>
    (cluster === 'east' ? local : remote).put(`${cluster}/${name}`, {
      cluster,
      clusterId: 2,
      name,
      internalIps: [internalIp],
      podCidrs,
    } as unknown as NodeRow);
  const routes = {
    put: (prefix: string) => {
      learned.put(prefix, VIA);
      installed.put(prefix, true);
    },
    delete: (prefix: string) => learned.delete(prefix),
  };
  return { learned: routes, installed, native, node, remote, mode: (ip: string) => peers.get(ip)?.mode };
}

describe('native nodes', () => {
  it('are those whose pod CIDRs a route covers in full, each of them', () => {
    const { learned, node, mode } = fixture();
    node('west', 'n1', '172.16.0.1', '10.2.0.0/24', 'fd10:2::/120');
    learned.put('10.2.0.0/25');
    learned.put('10.2.0.128/25');
    learned.put('fd10:2::/120');
    expect(mode('172.16.0.1')).toBe('tunnel');
    learned.put('10.2.0.0/16');
    expect(mode('172.16.0.1')).toBe('native');
    learned.delete('fd10:2::/120');
    expect(mode('172.16.0.1')).toBe('tunnel');
  });

  it('are not made by a default route, nor by one to somewhere else', () => {
    const { learned, node, mode } = fixture();
    node('west', 'n1', '172.16.0.1', '10.2.0.0/24');
    for (const prefix of ['0.0.0.0/0', '::/0', '10.2.1.0/24', '10.3.0.0/16']) learned.put(prefix);
    expect(mode('172.16.0.1')).toBe('tunnel');
    learned.put('0.0.0.0/1');
    expect(mode('172.16.0.1')).toBe('native');
  });

  it('follow the nodes: new ones, others of the same range, CIDRs that change, nodes without any', () => {
    const { learned, native, node, mode, remote } = fixture();
    learned.put('10.2.0.0/16');
    node('west', 'n1', '172.16.0.1', '10.2.0.0/24');
    node('east', 'n2', '172.16.1.2', '10.2.255.0/24');
    node('west', 'n2', '172.16.0.2', '10.3.0.0/24');
    node('west', 'n3', '172.16.0.3');
    expect(['172.16.0.1', '172.16.1.2', '172.16.0.2', '172.16.0.3'].map(mode)).toEqual(['native', 'native', 'tunnel', 'tunnel']);
    node('west', 'n1', '172.16.0.1', '10.3.1.0/24');
    expect(mode('172.16.0.1')).toBe('tunnel');
    learned.put('10.3.0.0/16');
    expect(['172.16.0.1', '172.16.0.2'].map(mode)).toEqual(['native', 'native']);
    remote.delete('west/n1');
    expect([mode('172.16.0.1') ?? 'gone', native.size]).toEqual(['gone', 2]);
    learned.delete('10.2.0.0/16');
    expect([...native.rows()].map(([key]) => key)).toEqual(['west/n2']);
  });

  it('are none that the kernel has no route to', () => {
    const { learned, installed, node, mode } = fixture();
    node('west', 'n1', '172.16.0.1', '10.2.0.0/24');
    learned.put('10.2.0.0/24');
    installed.delete('10.2.0.0/24');
    expect(mode('172.16.0.1')).toBe('tunnel');
    installed.put('10.2.0.0/24', true);
    expect(mode('172.16.0.1')).toBe('native');
  });

  it('are the only ones to be reached where there is no tunnel', () => {
    const { learned, node, mode } = fixture('native');
    node('west', 'n1', '172.16.0.1', '10.2.0.0/24');
    expect(mode('172.16.0.1')).toBe('closed');
    learned.put('10.2.0.0/24');
    expect(mode('172.16.0.1')).toBe('native');
  });
});
