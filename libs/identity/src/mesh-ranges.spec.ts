import { ManualClock, Store } from '@isthmus/core';
import type { NativeNodeRow, NodeRow, WireGuardTxRow } from '@isthmus/model';
import { declareMeshRanges } from './mesh-ranges.ts';
import { declarePeers } from './peers.ts';

function fixture() {
  const store = new Store(new ManualClock());
  const [local, remote] = [store.table<NodeRow>('nodes'), store.table<NodeRow>('remote-nodes')];
  const nodes = [local.table, remote.table];
  const own = { cluster: 'east', node: 'n1' };
  const native = store.table<NativeNodeRow>('native').table;
  const peers = declarePeers(store, nodes, own, { mode: 'tunnel', native, tx: store.table<WireGuardTxRow>('tx').table });
  const ranges = declareMeshRanges(store, nodes, peers, own);
  const put = (cluster: string, name: string, internalIps: string[], podCidrs: string[]): void =>
    (cluster === 'east' ? local : remote).put(`${cluster}/${name}`, {
      cluster,
      clusterId: cluster === 'east' ? 1 : 2,
      name,
      internalIps,
      podCidrs,
    } as unknown as NodeRow);
  return { local, remote, put, peers, ranges, all: () => Object.fromEntries(ranges.rows()) };
}

describe('mesh ranges', () => {
  it('are the pod CIDRs of all other nodes, with the peer that they are behind', () => {
    const { put, local, all } = fixture();
    put('east', 'n1', ['172.16.0.1'], ['10.1.0.0/24', 'fd01::/120']);
    put('east', 'n2', ['172.16.0.2', 'fd99::2'], ['10.1.1.0/24', 'fd01:1::/120']);
    put('west', 'n1', ['172.17.0.1'], ['10.2.0.0/24']);
    const n2 = { peer: '172.16.0.2', clusterId: 1 };
    const west = { '10.2.0.0/24': { peer: '172.17.0.1', clusterId: 2 } };
    expect(all()).toEqual({ '10.1.1.0/24': n2, 'fd01:1::/120': n2, ...west });
    put('east', 'n2', ['172.16.0.2'], ['10.1.2.0/24']);
    expect(all()).toEqual({ '10.1.2.0/24': n2, ...west });
    local.delete('east/n2');
    expect(all()).toEqual(west);
  });

  it('stay, closed, while it is not known where they are', () => {
    const { put, all } = fixture();
    put('west', 'n1', [], ['10.2.0.0/24']);
    expect(all()).toEqual({ '10.2.0.0/24': { peer: '', clusterId: 2 } });
    put('west', 'n1', ['172.17.0.1'], ['10.2.0.0/24']);
    expect(all()).toEqual({ '10.2.0.0/24': { peer: '172.17.0.1', clusterId: 2 } });
  });

  it('follow the peers: an address that turns out to be this node’s is none', () => {
    const { put, peers, all } = fixture();
    put('west', 'n1', ['172.16.0.1', '172.17.0.1'], ['10.2.0.0/24']);
    expect(all()['10.2.0.0/24']?.peer).toBe('172.16.0.1');
    put('east', 'n1', ['172.16.0.1'], []);
    expect(peers.has('172.16.0.1')).toBe(false);
    expect(all()['10.2.0.0/24']?.peer).toBe('172.17.0.1');
  });

  it('are one node’s when two claim them: this cluster’s before others’, then the first by name; and never one’s own', () => {
    const { put, local, ranges } = fixture();
    const peer = () => ranges.get('10.2.0.0/24')?.peer;
    put('west', 'n2', ['172.17.0.2'], ['10.2.0.0/24']);
    put('a', 'n1', ['172.18.0.1'], ['10.2.0.0/24']);
    expect(peer()).toBe('172.18.0.1');
    put('east', 'n3', ['172.16.0.3'], ['10.2.0.0/24']);
    put('east', 'n2', ['172.16.0.2'], ['10.2.0.0/24']);
    expect(peer()).toBe('172.16.0.2');
    put('east', 'n1', ['172.16.0.1'], ['10.2.0.0/24']);
    expect(ranges.has('10.2.0.0/24')).toBe(false);
    for (const name of ['n1', 'n2', 'n3']) local.delete(`east/${name}`);
    expect(peer()).toBe('172.18.0.1');
  });
});
