import type { IpRecord } from '@isthmus/mesh';
import type { WireGuardRow } from '@isthmus/model';
import { ownTables } from '../tables/own-node-fixture.ts';
import { RemoteTables } from './remote-tables.ts';

const ip = (address: string): IpRecord => ({
  ip: address,
  hostIp: '172.30.9.1',
  identity: 131_100,
  encryptionKey: 0,
  namespace: 'n',
  podName: 'p',
  podUid: '',
  serviceAccount: '',
  namedPorts: [],
});

function fixture() {
  const tables = ownTables();
  const remote = (cluster: string) => new RemoteTables(tables.store, tables.sources, cluster, (id) => `cluster-${id}`);
  const { table } = tables.sources.remoteIps;
  return { tables, remote, ips: () => [...table.rows()].map(([key, row]) => `${key} of ${row.clusterId}`), scopes: table.scopes };
}

describe('RemoteTables', () => {
  it('keeps rows of two clusters apart, though they claim one address', () => {
    const { remote, ips } = fixture();
    const [west, north] = [remote('west'), remote('north')];
    west.expect(2);
    north.expect(3);
    west.apply('ips', [{ name: '10.2.0.5', value: ip('10.2.0.5') }]);
    north.apply('ips', [{ name: '10.2.0.5', value: ip('10.2.0.5') }]);
    expect(ips()).toEqual(['west/10.2.0.5 of 2', 'north/10.2.0.5 of 3']);
    west.apply('ips', [{ name: '10.2.0.5', value: undefined }]);
    expect(ips()).toEqual(['north/10.2.0.5 of 3']);
  });

  it('holds its scope open until each kind is complete', () => {
    const { tables, remote, scopes } = fixture();
    for (const writer of [tables.sources.remoteIps, tables.sources.remoteNodes]) writer.scopesKnown();
    const west = remote('west');
    west.expect(2);
    west.synced('nodes');
    west.synced('serviceexports');
    expect([scopes.isSynced('cluster-2'), tables.sources.remoteNodes.table.scopes.isSynced('cluster-2')]).toEqual([false, true]);
    west.expect(2);
    expect(tables.sources.remoteNodes.table.scopes.isSynced('cluster-2')).toBe(true);
    west.synced('ips');
    expect(scopes.isSynced('cluster-2')).toBe(true);
  });

  it('has keys by node, and one target of each cluster', () => {
    const { tables, remote } = fixture();
    const { remoteWireGuard, remoteWireGuardTargets } = tables.sources;
    const keys = (name: string): WireGuardRow => ({ cluster: 'west', clusterId: 2, name, epochs: [], minTx: 0, laggards: [] });
    const target = { cluster: 'west', clusterId: 2, target: 7, startedAt: '2026-01-01T00:00:00Z', by: '', reason: '' };
    const west = remote('west');
    west.expect(2);
    west.apply('wireguard', [{ name: 'n1', value: keys('n1') }]);
    west.apply('wireguardtargets', [{ name: 'target', value: target }]);
    expect([...remoteWireGuard.table.rows()]).toEqual([['west/n1', keys('n1')]]);
    expect([...remoteWireGuardTargets.table.rows()]).toEqual([['west', target]]);
    west.drained();
    expect([remoteWireGuard.table.size, remoteWireGuardTargets.table.size]).toEqual([0, 0]);
  });

  it('moves to another number with its cluster', () => {
    const { tables, remote, scopes } = fixture();
    tables.sources.remoteIps.scopesKnown();
    const west = remote('west');
    west.expect(2);
    west.expect(0);
    expect(west.clusterId).toBe(2);
    west.expect(4);
    expect([scopes.isSynced('cluster-2'), scopes.isSynced('cluster-4')]).toEqual([true, false]);
  });

  it('drops everything of its cluster at once, and nothing else', () => {
    const { tables, remote, ips } = fixture();
    const [west, north] = [remote('west'), remote('north')];
    west.expect(2);
    north.expect(3);
    west.apply(
      'ips',
      ['10.2.0.5', '10.2.0.6'].map((name) => ({ name, value: ip(name) })),
    );
    west.apply('identities', [{ name: '131100', value: { id: 131_100, labels: ['k8s:a=b'] } }]);
    north.apply('ips', [{ name: '10.3.0.5', value: ip('10.3.0.5') }]);
    const { revision } = tables.store;
    west.drained();
    expect(ips()).toEqual(['north/10.3.0.5 of 3']);
    expect([tables.sources.remoteIdentities.table.size, west.clusterId]).toEqual([0, 0]);
    // One commit for the rows; the scopes of six tables are forgotten after it.
    expect(tables.store.revision - revision).toBe(7);
    west.drained();
  });
});
