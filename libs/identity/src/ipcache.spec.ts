import { ManualClock, Store } from '@isthmus/core';
import type { EndpointRow, IpRow, NativeNodeRow, NodeRow, WireGuardTxRow } from '@isthmus/model';
import { declareIpcache } from './ipcache.ts';
import { declarePeers } from './peers.ts';

function fixture() {
  const store = new Store(new ManualClock());
  const endpoints = store.table<EndpointRow>('endpoints');
  const localIps = store.table<IpRow>('local-ips');
  const remoteIps = store.table<IpRow>('remote-ips');
  const localNodes = store.table<NodeRow>('local-nodes');
  const remoteNodes = store.table<NodeRow>('remote-nodes');
  const own = { cluster: 'east', clusterId: 1, node: 'n1' };
  const tx = store.table<WireGuardTxRow>('wireguard-tx');
  const nodes = [localNodes.table, remoteNodes.table];
  const peers = declarePeers(store, nodes, own, {
    mode: 'tunnel',
    native: store.table<NativeNodeRow>('native').table,
    tx: tx.table,
  });
  const ipcache = declareIpcache(store, {
    endpoints: endpoints.table,
    localIps: localIps.table,
    remoteIps: remoteIps.table,
    localNodes: localNodes.table,
    remoteNodes: remoteNodes.table,
    peers,
    inTheClear: ({ name }) => name.startsWith('clear'),
    own,
  });
  return { endpoints, localIps, remoteIps, localNodes, remoteNodes, tx, peers, ipcache };
}

const node = (cluster: string, clusterId: number, name: string, ip: string, host: string): NodeRow => ({
  cluster,
  clusterId,
  name,
  internalIps: [ip],
  hostIps: [ip, host],
  podCidrs: [],
  encryptionKey: 0,
  wireguardPublicKey: '',
});
const record = (cluster: string, clusterId: number, ip: string, hostIp: string, identity: number): IpRow => ({
  cluster,
  clusterId,
  ip,
  hostIp,
  identity,
  namespace: 'default',
  pod: 'p',
});

describe('ipcache', () => {
  it('says of other nodes whether their own packets are in the clear, and of no pods', () => {
    const { localNodes, remoteNodes, localIps, ipcache } = fixture();
    localNodes.put('east/n1', node('east', 1, 'n1', '172.30.1.1', '10.1.0.1'));
    remoteNodes.put('west/clear1', node('west', 2, 'clear1', '172.30.2.1', '10.2.0.1'));
    remoteNodes.put('west/n2', node('west', 2, 'n2', '172.30.2.2', '10.2.1.1'));
    localIps.put('west/10.2.0.5', record('west', 2, '10.2.0.5', '172.30.2.1', 131_100));
    const ips = ['172.30.2.1', '10.2.0.1', '172.30.2.2', '10.2.0.5', '172.30.1.1'];
    expect(ips.map((ip) => ipcache.get(ip)?.inTheClear)).toEqual([true, true, undefined, undefined, undefined]);
  });

  it('knows the world from the start', () => {
    const { ipcache } = fixture();
    expect(ipcache.get('0.0.0.0/0')?.identity).toBe(9);
    expect(ipcache.get('::/0')?.identity).toBe(10);
  });

  it('names the peer of a remote pod once its node is known, in either order', () => {
    const { remoteIps, remoteNodes, ipcache } = fixture();
    remoteIps.put('west/10.2.0.5', record('west', 2, '10.2.0.5', '172.30.2.1', 131_100));
    expect(ipcache.get('10.2.0.5')).toEqual({ identity: 131_100, peer: '172.30.2.1', peerKnown: false, node: false, clusterId: 2 });
    remoteNodes.put('west/n1', node('west', 2, 'n1', '172.30.2.1', '10.2.0.1'));
    expect(ipcache.get('10.2.0.5')?.peerKnown).toBe(true);
    expect(ipcache.get('10.2.0.1')).toEqual({ identity: 6, peer: '172.30.2.1', peerKnown: true, node: true, clusterId: 2 });
    remoteNodes.delete('west/n1');
    expect(ipcache.get('10.2.0.5')?.peerKnown).toBe(false);
    expect(ipcache.get('10.2.0.1')).toBeUndefined();
  });

  it('has its own addresses as host, without a peer', () => {
    const { localNodes, peers, ipcache } = fixture();
    localNodes.put('east/n1', node('east', 1, 'n1', '172.30.1.1', '10.1.0.1'));
    expect(ipcache.get('172.30.1.1')).toEqual({ identity: 1, peer: '', peerKnown: true, node: true, clusterId: 1 });
    expect(peers.size).toBe(0);
  });

  it('lets no remote cluster claim the world, or a pod as one of its nodes', () => {
    const { localIps, remoteIps, remoteNodes, ipcache } = fixture();
    localIps.put('east/10.1.0.9', record('east', 1, '10.1.0.9', '', 65_800));
    remoteIps.put('west/0.0.0.0/0', record('west', 2, '0.0.0.0/0', '', 131_100));
    remoteNodes.put('west/n1', node('west', 2, 'n1', '172.30.2.1', '10.1.0.9'));
    expect(ipcache.get('0.0.0.0/0')?.identity).toBe(9);
    expect(ipcache.get('10.1.0.9')?.identity).toBe(65_800);
  });

  it('lets no remote cluster be the peer at the address of a node of this one, whatever it is called', () => {
    const { localNodes, remoteNodes, peers } = fixture();
    remoteNodes.put('a/n1', node('a', 2, 'n1', '172.30.1.2', '10.2.0.1'));
    expect(peers.get('172.30.1.2')).toMatchObject({ cluster: 'a' });
    localNodes.put('east/n2', node('east', 1, 'n2', '172.30.1.2', '10.1.2.1'));
    expect(peers.get('172.30.1.2')).toMatchObject({ cluster: 'east', node: 'n2' });
  });

  it('says which device sends to a peer: closed until one is named, and when it is taken back', () => {
    const { remoteNodes, tx, peers } = fixture();
    tx.put('172.30.2.1', { device: 'odd' });
    expect(peers.has('172.30.2.1')).toBe(false);
    remoteNodes.put('west/n1', node('west', 2, 'n1', '172.30.2.1', '10.2.0.1'));
    remoteNodes.put('west/n2', node('west', 2, 'n2', '172.30.2.2', '10.2.1.1'));
    const txs = () => ['172.30.2.1', '172.30.2.2'].map((ip) => peers.get(ip)?.tx);
    expect(txs()).toEqual(['odd', 'closed']);
    tx.put('172.30.2.2', { device: 'even' });
    expect(txs()).toEqual(['odd', 'even']);
    tx.delete('172.30.2.1');
    expect(txs()).toEqual(['closed', 'even']);
  });

  it('lets no remote cluster take over an address of this one', () => {
    const { localIps, remoteIps, ipcache } = fixture();
    remoteIps.put('west/10.1.0.9', record('west', 2, '10.1.0.9', '', 131_100));
    localIps.put('east/10.1.0.9', record('east', 1, '10.1.0.9', '', 65_800));
    expect(ipcache.get('10.1.0.9')?.identity).toBe(65_800);
    localIps.delete('east/10.1.0.9');
    expect(ipcache.get('10.1.0.9')?.identity).toBe(131_100);
  });

  it('knows a local pod before its record comes back from etcd', () => {
    const { endpoints, ipcache } = fixture();
    const row = { ipv4: '10.1.0.7', ipv6: 'fd00::7', identity: 65_900 } as EndpointRow;
    endpoints.put('7', { ...row, identity: 0 });
    expect(ipcache.get('10.1.0.7')).toBeUndefined();
    endpoints.put('7', row);
    expect([ipcache.get('10.1.0.7')?.identity, ipcache.get('fd00::7')?.identity]).toEqual([65_900, 65_900]);
  });
});
