import { ManualClock } from '@isthmus/core';
import { MemoryKvServer } from '@isthmus/kvstore';
import { decodeIp, decodeNode } from '@isthmus/mesh';
import { ipRecord } from './ip-record-fixture.ts';
import { KvRecordSink } from './kv-record-sink.ts';
import { ownNodeCodec } from './own-node.ts';
import { publishedIpCodec } from './published-ip-codec.ts';

const owner = { cluster: 'east', clusterId: 1, maxConnectedClusters: 255 as const };
const HOST = '172.30.1.1';
const row = { hostIp: HOST, identity: 65_800, namespace: 'shop', pod: 'web' };
const key = (ip: string): string => `cilium/state/ip/v1/default/${ip}`;
const record = (ip: string, hostIp: string) => ipRecord(ip, 65_801, hostIp);

function fixture({ encrypted = false } = {}) {
  const server = new MemoryKvServer({ clock: new ManualClock() });
  const kv = server.connect();
  const sink = new KvRecordSink(kv, publishedIpCodec(owner, HOST, encrypted));
  const found = async () => {
    const all = [];
    for await (const batch of sink.entries()) all.push(...batch);
    return all;
  };
  return { server, kv, sink, found };
}

describe('KvRecordSink with addresses', () => {
  it('writes what readers of the mesh read', async () => {
    const { kv, sink } = fixture();
    expect(
      await sink.update([
        { key: '10.1.0.5', row },
        { key: 'fd00::5', row },
      ]),
    ).toEqual(new Map());
    for (const ip of ['10.1.0.5', 'fd00::5']) {
      const decoded = decodeIp((await kv.get(key(ip)))?.value ?? new Uint8Array(), { ...owner, name: ip });
      expect(decoded).toMatchObject({ ok: true, value: { ip, hostIp: HOST, identity: 65_800, namespace: 'shop', podName: 'web' } });
    }
  });

  it('says of each whether it is encrypted', async () => {
    for (const [encrypted, is] of [
      [false, '"Key":0,'],
      [true, '"Key":255,'],
    ] as const) {
      const { kv, sink } = fixture({ encrypted });
      await sink.update([{ key: '10.1.0.5', row }]);
      expect(Buffer.from((await kv.get(key('10.1.0.5')))?.value ?? []).toString()).toContain(is);
    }
  });

  it('writes only what differs', async () => {
    const { server, sink } = fixture();
    await sink.update([{ key: '10.1.0.5', row }]);
    const { revision } = server;
    await sink.update([{ key: '10.1.0.5', row }]);
    expect(server.revision).toBe(revision);
    await sink.update([{ key: '10.1.0.5', row: { ...row, identity: 65_900 } }]);
    expect(server.revision).toBe(revision + 1);
  });

  it('deletes its own, never somebody else’s, and what is gone is fine', async () => {
    const { kv, sink } = fixture();
    await sink.update([{ key: '10.1.0.5', row }]);
    await kv.put(key('10.1.0.6'), record('10.1.0.6', '172.30.1.2'));
    await kv.put(key('10.1.0.7'), 'not a record');
    expect(await sink.delete(['10.1.0.5', '10.1.0.6', '10.1.0.7', '10.1.0.8'])).toEqual(new Map());
    expect([
      await kv.get(key('10.1.0.5')),
      (await kv.get(key('10.1.0.6'))) !== undefined,
      (await kv.get(key('10.1.0.7'))) !== undefined,
    ]).toEqual([undefined, true, true]);
  });

  it('does not delete what became somebody else’s between looking and deleting', async () => {
    const { kv, sink } = fixture();
    await sink.update([{ key: '10.1.0.5', row }]);
    const get = kv.get.bind(kv);
    kv.get = async (name, options) => {
      const entry = await get(name, options);
      await kv.put(name, record('10.1.0.5', '172.30.1.2'));
      return entry;
    };
    await sink.delete(['10.1.0.5']);
    kv.get = get;
    expect(await kv.get(key('10.1.0.5'))).toBeDefined();
  });

  it('finds its own for pruning, and nothing else', async () => {
    const { kv, sink, found } = fixture();
    await sink.update([{ key: '10.1.0.5', row }]);
    await kv.put(key('10.1.0.6'), record('10.1.0.6', '172.30.1.2'));
    await kv.put(key('10.1.0.7'), 'not a record');
    expect(await found()).toEqual([{ key: '10.1.0.5', scope: 'local' }]);
  });

  it('says of each row why it failed', async () => {
    const { server, sink } = fixture();
    server.stop();
    const failures = await sink.update([
      { key: '10.1.0.5', row },
      { key: '10.1.0.6', row },
    ]);
    expect([...failures.keys()]).toEqual(['10.1.0.5', '10.1.0.6']);
    expect([...(await sink.delete(['10.1.0.5'])).values()]).toEqual([expect.objectContaining({ code: 'KV_UNREACHABLE' })]);
  });
});

describe('KvRecordSink with the own node', () => {
  it('says as Cilium does that the node is encrypted, and by which key', async () => {
    const { kv } = fixture();
    const publicKey = Buffer.alloc(32, 1).toString('base64');
    const names = { cluster: 'east', clusterId: 1, name: 'n1', podCidrs: [], bootId: '' };
    const addresses = { internal: { ipv4: HOST, ipv6: '' }, podHost: { ipv4: '', ipv6: '' } };
    const write = async (isOptedOut: boolean): Promise<unknown> => {
      const row = { ...names, ...addresses, encryption: { publicKey, isOptedOut } };
      await new KvRecordSink(kv, ownNodeCodec('east')).update([{ key: 'n1', row }]);
      return JSON.parse(Buffer.from((await kv.get('cilium/state/nodes/v1/east/n1'))?.value ?? []).toString());
    };
    const ours = { WireguardPubKey: publicKey, Annotations: { 'isthmus.io/wireguard-epochs': 'true' } };
    expect(await write(false)).toMatchObject({ EncryptionKey: 255, ...ours });
    expect(await write(true)).toMatchObject({ EncryptionKey: 0, ...ours });
  });

  it('writes the node’s record, and leaves removing it to others', async () => {
    const { kv } = fixture();
    const sink = new KvRecordSink(kv, ownNodeCodec('east'));
    const node = {
      cluster: 'east',
      clusterId: 1,
      name: 'n1',
      internal: { ipv4: HOST, ipv6: '' },
      podHost: { ipv4: '10.1.0.1', ipv6: 'fd00:1::1' },
      podCidrs: ['10.1.0.0/24', 'fd00:1::/120', '10.9.0.0/24'],
      bootId: 'b',
    };
    await sink.update([{ key: 'n1', row: node }]);
    await sink.delete(['n1']);
    const entry = await kv.get('cilium/state/nodes/v1/east/n1');
    expect(decodeNode(entry?.value ?? new Uint8Array(), { ...owner, name: 'n1' })).toMatchObject({
      ok: true,
      value: {
        addresses: [
          { type: 'InternalIP', ip: HOST },
          { type: 'CiliumInternalIP', ip: '10.1.0.1' },
          { type: 'CiliumInternalIP', ip: 'fd00:1::1' },
        ],
        ipv4Cidr: '10.1.0.0/24',
        ipv4SecondaryCidrs: ['10.9.0.0/24'],
        ipv6Cidr: 'fd00:1::/120',
        bootId: 'b',
        encryptionKey: 0,
        wireguardPubKey: '',
      },
    });
    for await (const batch of sink.entries()) expect(batch).toEqual([]);
  });
});
