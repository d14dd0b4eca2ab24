import { ManualClock } from '@isthmus/core';
import type { NodeRow, WireGuardRow } from '@isthmus/model';
import { OWN_NODE, ownTables } from '../tables/own-node-fixture.ts';
import { EncryptionTables } from './encryption-tables.ts';

const node = (cluster: string, name: string, ...internalIps: string[]): NodeRow => {
  const clusterId = cluster === 'east' ? 1 : 2;
  return { cluster, clusterId, name, internalIps, hostIps: internalIps, podCidrs: [], encryptionKey: 255, wireguardPublicKey: '' };
};
const record = (cluster: string, name: string, epoch: number, publicKey = `${cluster}/${name}`): WireGuardRow => {
  const clusterId = cluster === 'east' ? 1 : 2;
  return { cluster, clusterId, name, epochs: [{ epoch, publicKey, port: 51_871 }], minTx: epoch, laggards: [] };
};

/** Of the own node. */
const OWN_KEYS = new Map([[8, 'east/n1']]);
const CILIUM_KEY = Buffer.alloc(32, 9).toString('base64');

function fixture(excluded: readonly string[] = [], servesAll = true) {
  const tables = ownTables(new ManualClock());
  const { localNodes, remoteNodes, localWireGuard } = tables.sources;
  localNodes.put('east/n1', node('east', 'n1', '192.0.2.1'));
  remoteNodes.put('west/n1', node('west', 'n1', '192.0.2.9', '2001:db8::9'));
  localWireGuard.put('east/n1', record('east', 'n1', 8));
  return { tables, encryption: new EncryptionTables(tables, OWN_NODE, { isExcluded: (name) => excluded.includes(name), servesAll }) };
}

const tx = ({ encryption }: ReturnType<typeof fixture>): string[] => encryption.peers(OWN_KEYS).map((peer) => `${peer.name} ${peer.tx}`);

it('knows all nodes but its own', () => {
  const f = fixture();
  expect(tx(f)).toEqual(['west/n1 closed']);
  expect([f.encryption.name, f.encryption.published()?.minTx]).toEqual(['east/n1', 8]);
});

it('sends to all addresses of a node in one commit', () => {
  const f = fixture();
  const before = f.tables.store.revision;
  expect(f.encryption.send('west/n1', 'odd')).toEqual({ addresses: ['192.0.2.9', '2001:db8::9'], revision: before + 1 });
  expect(tx(f)).toEqual(['west/n1 odd']);
  expect(f.tables.peers.get('2001:db8::9')).toMatchObject({ tx: 'odd' });
  f.encryption.send('west/n1', undefined);
  expect([tx(f), f.tables.peers.get('192.0.2.9')?.tx]).toEqual([['west/n1 closed'], 'closed']);
});

it('takes over what is sent by, and counts a change that was cut short as none', () => {
  const f = fixture();
  f.encryption.adopt([
    ['192.0.2.9', 'even'],
    ['2001:db8::9', 'even'],
  ]);
  expect(tx(f)).toEqual(['west/n1 even']);
  f.encryption.adopt([['2001:db8::9', 'odd']]);
  expect(tx(f)).toEqual(['west/n1 closed']);
});

it('takes no keys from who claims those of another node', () => {
  const f = fixture();
  f.tables.sources.remoteWireGuard.put('west/n1', record('west', 'n1', 8, 'east/n1'));
  expect(f.encryption.peers(OWN_KEYS)[0]?.record).toBeUndefined();
  f.tables.sources.remoteWireGuard.put('west/n1', record('west', 'n1', 8));
  expect(f.encryption.peers(OWN_KEYS)[0]?.record?.minTx).toBe(8);
});

it('is to be where the own cluster wants it, and tells what others want', () => {
  const f = fixture();
  const target = { cluster: 'west', clusterId: 2, target: 9, startedAt: '', by: '', reason: '' };
  expect(f.encryption.target(8).epoch).toBe(8);
  f.tables.sources.remoteWireGuardTargets.put('west', target);
  const wanted = { epoch: 9, cluster: 'west' };
  expect([f.encryption.target(8), f.encryption.targets()]).toEqual([{ epoch: 8, wanted, ignored: [] }, [target]]);
  f.tables.sources.localWireGuard.put('east/n1', { ...record('east', 'n1', 8), wanted });
  expect([f.encryption.publishedWanted(), f.encryption.published()?.minTx]).toEqual([wanted, 8]);
  f.tables.sources.localWireGuardTargets.put('east', { ...target, cluster: 'east', clusterId: 1 });
  expect(f.encryption.target(8)).toEqual({ epoch: 9, ignored: [] });
});

describe('a node that has but one key', () => {
  const cilium = (wireguardPublicKey: string, more: Partial<NodeRow> = {}) => {
    return { ...node('west', 'n1', '192.0.2.9'), wireguardPublicKey, ...more };
  };
  const west = (row: NodeRow, own: ReadonlyMap<number, string> = OWN_KEYS, f = fixture()) => {
    f.tables.sources.remoteNodes.put('west/n1', row);
    return f.encryption.peers(own)[0];
  };

  it('has it for each even epoch of this node', () => {
    const record = { epochs: [{ epoch: 8, publicKey: CILIUM_KEY, port: 51_871 }], minTx: 0, laggards: [] };
    expect(west(cilium(CILIUM_KEY))).toEqual({ name: 'west/n1', tx: 'closed', record, withoutEpochs: true });
    expect(west(cilium(CILIUM_KEY, { encryptionKey: 0 }))?.record).toEqual(record);
    expect(west(cilium(CILIUM_KEY), new Map([[9, 'east/n1']]))?.record?.epochs).toEqual([]);
  });

  it('is none when it says so, or its record of keys is there', () => {
    const said = { ...node('west', 'n1', '192.0.2.9'), wireguardPublicKey: CILIUM_KEY };
    expect(west({ ...said, hasEpochs: true })).toEqual({ name: 'west/n1', tx: 'closed', record: undefined });
    const f = fixture();
    f.tables.sources.remoteWireGuard.put('west/n1', record('west', 'n1', 8));
    expect(west(said, OWN_KEYS, f)?.record?.minTx).toBe(8);
  });

  it.each([
    ['no key', 'AAAA'],
    ['none', `${'A'.repeat(43)}=`],
    ['a key of this node', Buffer.alloc(32, 1).toString('base64')],
  ])('has no keys when what it says is %s', (_what, key) => {
    expect(west(cilium(key), new Map([[8, Buffer.alloc(32, 1).toString('base64')]]))).toEqual({
      name: 'west/n1',
      tx: 'closed',
      record: undefined,
    });
  });

  it('has none that another one has: of two the first by name', () => {
    const f = fixture();
    f.tables.sources.remoteNodes.put('west/n2', { ...node('west', 'n2', '192.0.2.10'), wireguardPublicKey: CILIUM_KEY });
    west(cilium(CILIUM_KEY), OWN_KEYS, f);
    const single = f.encryption.peers(OWN_KEYS).filter(({ withoutEpochs }) => withoutEpochs);
    expect(single.map(({ name }) => name)).toEqual(['west/n1']);
  });

  it('is closed where preshared keys are required, and holds nobody up', () => {
    expect(west(cilium(CILIUM_KEY), OWN_KEYS, fixture([], false))).toEqual({ name: 'west/n1', tx: 'closed', record: undefined });
  });

  it('is closed when it is left out', () => {
    expect(west(cilium(CILIUM_KEY), OWN_KEYS, fixture(['west/n1']))).toEqual({ name: 'west/n1', tx: 'closed', record: undefined });
  });
});
