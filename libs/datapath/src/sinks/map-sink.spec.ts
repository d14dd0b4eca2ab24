import { IdPool, ManualClock } from '@isthmus/core';
import type { IpcacheRow, LocalAddressRow, PeerRow } from '@isthmus/model';
import fc from 'fast-check';
import { decodeBackendValue, decodeIpcacheValue, decodePeerValue, IpcacheFlag } from '../generated/layouts.ts';
import { backendCodec, backendKeyOf, frontendKeyOf, revnatCodec } from './backend-codec.ts';
import { endpointCodec } from './endpoint-codec.ts';
import { ipcacheCodec } from './ipcache-codec.ts';
import { type MapCodec, MapSink } from './map-sink.ts';
import { MemoryRowMap } from './memory-row-map.ts';
import { meshRangeCodec } from './mesh-range-codec.ts';
import { decodeId, encodeId, seedPool } from './numbered-rows.ts';
import { peerAddress, peerCodec, peerTx } from './peer-codec.ts';

const OWN = 1;
const clock = new ManualClock();
const pool = (max = 100, graceMs = 1000): IdPool => new IdPool({ name: 'p', min: 1, max, graceMs }, clock);
const found = (sink: MapSink<never>) => [...sink.entries()].flat();
const ipcacheRow = (changes: Partial<IpcacheRow> = {}): IpcacheRow => ({
  identity: 65_800,
  peer: '',
  peerKnown: true,
  node: false,
  clusterId: OWN,
  ...changes,
});

async function roundTrip<V>(codec: MapCodec<V>, keys: readonly string[], row: V) {
  const map = new MemoryRowMap('m');
  const sink = new MapSink<V>(map, codec);
  expect(await sink.update(keys.map((key) => ({ key, row })))).toEqual(new Map());
  expect(map.rows.size).toBe(keys.length);
  const entries = found(sink as MapSink<never>);
  expect(await sink.delete(keys)).toEqual(new Map());
  expect(map.rows.size).toBe(0);
  return entries;
}

describe('codecs', () => {
  const ips = ['10.1.0.5', '0.0.0.0', '255.255.255.255', 'fd00::5', '::', 'ff02::1'];
  const l4 = ['TCP/10.1.0.5:80', 'UDP/10.1.0.5:80', 'SCTP/10.1.0.5:65535', 'TCP/[fd00::5]:443'];

  it('find each row by its table’s key', async () => {
    const host: LocalAddressRow = { endpoint: 1, ifindex: 2, identity: 3, mac: '', hostMac: '0e:00:00:00:00:01', ready: true, host: false };
    const prefixes = [...ips, '10.0.0.0/8', '0.0.0.0/0', '::/0', 'fd00::/64', '10.1.0.4/31'];
    const peer: PeerRow = { cluster: 'west', clusterId: 2, node: 'n', mode: 'tunnel', tx: 'closed' };
    const keysOf = (entries: readonly { key: string }[]): string[] => entries.map(({ key }) => key);
    expect(keysOf(await roundTrip(endpointCodec, ips, host))).toEqual(ips);
    expect(keysOf(await roundTrip(ipcacheCodec(pool(), OWN), prefixes, ipcacheRow()))).toEqual(prefixes);
    const cidrs = ['10.1.0.0/24', '10.1.0.7/32', 'fd00::/64', 'fd00::7/128'];
    for (const behind of ['172.30.2.1', ''])
      expect(keysOf(await roundTrip(meshRangeCodec(pool(), OWN), cidrs, { peer: behind, clusterId: 2 }))).toEqual(cidrs);
    expect(keysOf(await roundTrip(peerCodec(pool(), OWN), ips, peer))).toEqual(ips);
    expect(keysOf(await roundTrip(backendCodec(pool(), OWN), l4, { clusterId: 2 }))).toEqual(l4);
    expect(keysOf(await roundTrip(revnatCodec(pool()), l4, undefined))).toEqual(l4);
  });

  it('find every address and prefix', () => {
    const codec = ipcacheCodec(pool(), OWN);
    const value = codec.value('', ipcacheRow());
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const key = codec.found(codec.key(text), value)?.key ?? '';
        expect(codec.found(codec.key(key), value)?.key).toBe(key);
        expect(codec.key(key)).toEqual(codec.key(text));
      }),
    );
  });

  it('put each row into the scope of its cluster', async () => {
    const scopes = async (clusterId: number): Promise<(string | undefined)[]> => [
      (await roundTrip(ipcacheCodec(pool(), OWN), ['10.2.0.5'], ipcacheRow({ clusterId })))[0]?.scope,
      (await roundTrip(backendCodec(pool(), OWN), ['TCP/10.2.0.5:80'], { clusterId }))[0]?.scope,
      (
        await roundTrip(peerCodec(pool(), OWN), ['10.2.0.5'], { cluster: '', clusterId, node: '', mode: 'native', tx: 'closed' as const })
      )[0]?.scope,
    ];
    expect(await scopes(0)).toEqual(['local', 'local', 'local']);
    expect(await scopes(OWN)).toEqual(['local', 'local', 'local']);
    expect(await scopes(2)).toEqual(['cluster-2', 'cluster-2', 'cluster-2']);
  });

  it('have an ipcache entry name its peer by number, and nodes by their flags', () => {
    const peers = pool();
    const codec = ipcacheCodec(peers, OWN);
    const value = (row: IpcacheRow) => decodeIpcacheValue(codec.value('10.2.0.5', row));
    expect(value(ipcacheRow({ peer: '172.30.2.1' }))).toMatchObject({ peer: peers.idOf('172.30.2.1'), flags: 0 });
    expect(value(ipcacheRow({ peer: '172.30.2.1', node: true })).flags).toBe(IpcacheFlag.remoteNode | IpcacheFlag.tunnelHost);
    const clear = ipcacheRow({ peer: '172.30.2.1', node: true, inTheClear: true });
    expect(value(clear).flags).toBe(IpcacheFlag.remoteNode | IpcacheFlag.tunnelHost | IpcacheFlag.inTheClear);
    expect(value(ipcacheRow({ node: true }))).toMatchObject({ peer: 0, flags: 0 });
    expect(() => value(ipcacheRow({ peer: '172.30.9.9', peerKnown: false }))).toThrow(expect.objectContaining({ code: 'PEER_UNKNOWN' }));
    expect(peers.has('172.30.9.9')).toBe(false);
  });

  it.each([
    ['endpoint', endpointCodec],
    ['ipcache', ipcacheCodec(pool(), OWN)],
    ['peer', peerCodec(pool(), OWN)],
  ])('refuse what is no address: %s', (_name, codec) => {
    for (const key of ['', 'x', '10.1.0', '10.1.0.5/33', 'fd00::5/129']) {
      expect(() => {
        codec.key(key);
        (codec as MapCodec<unknown>).value(key, { ...ipcacheRow(), mac: '', hostMac: '', mode: 'tunnel', tx: 'closed' });
      }).toThrow(RangeError);
    }
  });

  it('write ports and protocols as the programs read them', () => {
    const value = backendCodec(pool(), OWN).value('UDP/[fd00::5]:53', { clusterId: 3 });
    expect(decodeBackendValue(value)).toMatchObject({ port: 53, protocol: 17, cluster: 3 });
    expect(
      decodePeerValue(peerCodec(pool(), OWN).value('fd00::1', { cluster: '', clusterId: 3, node: '', mode: 'native', tx: 'closed' })),
    ).toMatchObject({
      cluster: 3,
      tx: 0,
    });
  });
});

describe('MapSink', () => {
  const ipcache = (map: MemoryRowMap) => new MapSink(map, ipcacheCodec(pool(), OWN));
  const rows = (...keys: string[]) => keys.map((key) => ({ key, row: ipcacheRow() }));

  it('fails only the row that cannot be encoded', async () => {
    const map = new MemoryRowMap('m');
    expect([...(await ipcache(map).update(rows('10.1.0.5', 'garbage', '10.1.0.6'))).keys()]).toEqual(['garbage']);
    expect(map.rows.size).toBe(2);
  });

  it('fails only the rows that the map refuses', async () => {
    const map = new MemoryRowMap('m', 2);
    const failures = await ipcache(map).update(rows('10.1.0.5', '10.1.0.6', '10.1.0.7', '10.1.0.8'));
    expect([...failures.keys()]).toEqual(['10.1.0.7', '10.1.0.8']);
    expect([...(await ipcache(map).update(rows('10.1.0.5', '10.1.0.6', '10.1.0.7'))).keys()]).toEqual(['10.1.0.7']);
  });

  it('takes a key that could never be written for deleted', async () => {
    const map = new MemoryRowMap('m');
    const sink = ipcache(map);
    await sink.update(rows('10.1.0.5'));
    expect(await sink.delete(['garbage', '10.1.0.5', '10.1.0.9'])).toEqual(new Map());
    expect(map.rows.size).toBe(0);
  });

  it('says which deletions failed, and does the others', async () => {
    const map = new MemoryRowMap('m');
    const sink = ipcache(map);
    await sink.update(rows('10.1.0.5', '10.1.0.6'));
    const remove = map.delete.bind(map);
    const stuck = Buffer.from(ipcacheCodec(pool(), OWN).key('10.1.0.5')).toString('hex');
    map.delete = async (keys) => {
      if (keys.some((key) => Buffer.from(key).toString('hex') === stuck)) throw new Error('EPERM');
      await remove(keys);
    };
    expect([...(await sink.delete(['10.1.0.5', '10.1.0.6'])).keys()]).toEqual(['10.1.0.5']);
    expect(map.rows.size).toBe(1);
  });

  it('lets others’ rows alone', () => {
    const map = new MemoryRowMap('m');
    const codec = { ...ipcacheCodec(pool(), OWN), found: () => undefined };
    map.rows.set('x', [new Uint8Array(1), new Uint8Array(1)]);
    expect(found(new MapSink(map, codec) as MapSink<never>)).toEqual([]);
  });
});

describe('numbered rows', () => {
  it('are u32 in the machine’s order', () => {
    for (const id of [0, 1, 65_536, 0xffffffff]) expect(decodeId(encodeId(id))).toBe(id);
    expect([...encodeId(258)]).toEqual([2, 1, 0, 0]);
  });

  it('say which device sends to a peer, as it was before a restart', async () => {
    const map = new MemoryRowMap('m');
    const row: PeerRow = { cluster: 'west', clusterId: 2, node: 'n', mode: 'tunnel', tx: 'closed' };
    await new MapSink(map, peerCodec(pool(), OWN)).update([
      { key: '172.30.2.1', row: { ...row, tx: 'even' } },
      { key: 'fd00::1', row: { ...row, tx: 'odd' } },
      { key: '172.30.2.3', row },
    ]);
    expect([...map.entries()].map(([, value]) => decodePeerValue(value).tx)).toEqual([1, 2, 0]);
    expect([...peerTx(map.entries())]).toEqual([
      ['172.30.2.1', 'even'],
      ['fd00::1', 'odd'],
    ]);
  });

  it('keep their numbers across a restart', async () => {
    const map = new MemoryRowMap('m');
    const before = pool();
    const peers = ['172.30.2.1', '172.30.2.2', 'fd00::1'];
    const row: PeerRow = { cluster: 'west', clusterId: 2, node: 'n', mode: 'tunnel', tx: 'closed' };
    await new MapSink(map, peerCodec(before, OWN)).update(peers.map((key) => ({ key, row })));
    await new MapSink(map, peerCodec(before, OWN)).delete(['172.30.2.1']);
    const after = pool();
    seedPool(after, map.entries(), peerAddress);
    expect(after.idOf('fd00::1')).toBe(before.idOf('fd00::1'));
    expect(after.idOf('172.30.9.9')).not.toBe(after.idOf('172.30.2.2'));
    const backends = new MemoryRowMap('b');
    await new MapSink(backends, backendCodec(before, OWN)).update([{ key: 'UDP/[fd00::5]:53', row: { clusterId: 2 } }]);
    const revnats = new MemoryRowMap('r');
    await new MapSink(revnats, revnatCodec(before)).update([{ key: 'TCP/10.96.0.9:80', row: undefined }]);
    const values = (of: MemoryRowMap) => [...of.entries()].map(([, value]) => value);
    expect([backendKeyOf(values(backends)[0] as Uint8Array), frontendKeyOf(values(revnats)[0] as Uint8Array)]).toEqual([
      'UDP/[fd00::5]:53',
      'TCP/10.96.0.9:80',
    ]);
  });

  it('give no number to a key only in order to delete it', async () => {
    const numbers = pool(1);
    const sink = new MapSink(new MemoryRowMap('m'), backendCodec(numbers, OWN));
    const row = { clusterId: 2 };
    expect(await sink.update([{ key: 'TCP/10.1.0.5:80', row }])).toEqual(new Map());
    const refused = await sink.update([{ key: 'TCP/10.1.0.6:80', row }]);
    expect([...refused.values()]).toEqual([expect.objectContaining({ code: 'ID_POOL_EXHAUSTED' })]);
    expect(await sink.delete(['TCP/10.1.0.6:80', 'TCP/10.1.0.5:80'])).toEqual(new Map());
    expect([numbers.has('TCP/10.1.0.6:80'), numbers.size]).toEqual([false, 1]);
    const more = pool();
    await new MapSink(new MemoryRowMap('m'), backendCodec(more, OWN)).delete(['TCP/10.1.0.7:80']);
    await new MapSink(new MemoryRowMap('m'), peerCodec(more, OWN)).delete(['10.1.0.7']);
    expect(more.size).toBe(0);
  });

  it('rest before another key gets them', async () => {
    const numbers = pool(1, 1000);
    const sink = new MapSink(new MemoryRowMap('m'), backendCodec(numbers, OWN));
    const row = { clusterId: 2 };
    await sink.update([{ key: 'TCP/10.1.0.5:80', row }]);
    await sink.delete(['TCP/10.1.0.5:80']);
    expect((await sink.update([{ key: 'TCP/10.1.0.6:80', row }])).size).toBe(1);
    clock.advance(1000);
    expect((await sink.update([{ key: 'TCP/10.1.0.6:80', row }])).size).toBe(0);
  });
});
