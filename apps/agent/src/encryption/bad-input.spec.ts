import { chmodSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@isthmus/core';
import {
  checkPodMtu,
  EpochKeyFolder,
  meshTarget,
  Rotation,
  type RotationView,
  systemRandomBytes,
  WgTool,
  WireGuardKey,
  type WireGuardRecord,
  wireguardMtu,
} from '@isthmus/crypto';
import { decodeWireGuard, decodeWireGuardTarget, encodeWireGuard } from '@isthmus/mesh';
import type { NodeRow, WireGuardRow } from '@isthmus/model';
import { readinessOf } from '../agent-readiness.ts';
import { OWN_NODE, ownTables } from '../tables/own-node-fixture.ts';
import { EncryptionTables } from './encryption-tables.ts';
import { serveDevice } from './wireguard-go.ts';

// What comes of everything that encryption reads and that is wrong. Nothing of it may open a way in the clear, end the agent, or harm another pair.

const keyOf = (n: number): string => Buffer.alloc(32, n).toString('base64');
const OWN_KEYS = new Map([[8, keyOf(1)]]);
const CONTEXT = { cluster: 'west', clusterId: 2, name: 'n1' };
const epoch = (publicKey: string, number = 8, port = number % 2 === 0 ? 51_871 : 51_872) => ({ epoch: number, publicKey, port });
const row = (cluster: string, ...epochs: WireGuardRow['epochs']): WireGuardRow => {
  return { cluster, clusterId: cluster === 'east' ? 1 : 2, name: 'n1', epochs, minTx: 8, laggards: [] };
};
const record = (...epochs: WireGuardRow['epochs']): string => encodeWireGuard(row('west', ...epochs));
const decoded = (text: string) => decodeWireGuard(Buffer.from(text), { ...CONTEXT, maxConnectedClusters: 255 });

describe('a record of keys is dropped that', () => {
  it.each<[string, string, string]>([
    ['is no JSON', '{', 'bad-json'],
    ['has a key that is none', record(epoch('AAAA')), 'bad-public-key'],
    ['has a key with spare bits', record(epoch(`${keyOf(2).slice(0, -2)}5=`)), 'bad-public-key'],
    ['has the key of all zeros', record(epoch(keyOf(0))), 'bad-public-key'],
    ['has one key twice', record(epoch(keyOf(2), 7), epoch(keyOf(2), 8)), 'bad-public-key'],
    ['has a port that is neither', record(epoch(keyOf(2), 8, 51_873)), 'bad-port'],
    ['has the port of the other device', record(epoch(keyOf(2), 8, 51_872)), 'bad-port'],
    ['has epoch 0', record(epoch(keyOf(2), 0)), 'bad-epoch'],
    ['has epochs that go back', record(epoch(keyOf(2), 8), epoch(keyOf(3), 7)), 'bad-epoch'],
    ['has two epochs for one device', record(epoch(keyOf(2), 6), epoch(keyOf(3), 8)), 'bad-epoch'],
    ['is of a node of another cluster', record(epoch(keyOf(2))).replace('"cluster":"west"', '"cluster":"north"'), 'foreign-cluster'],
    ['is under the number of another cluster', record(epoch(keyOf(2))).replace('"clusterID":2', '"clusterID":3'), 'foreign-cluster-id'],
    ['is of another node than its key says', record(epoch(keyOf(2))).replace('"name":"n1"', '"name":"n2"'), 'key-mismatch'],
  ])('%s', (_what, text, reason) => {
    expect(decoded(text)).toEqual({ ok: false, reason });
  });
});

describe('a node stays closed whose record has', () => {
  const node: NodeRow = {
    ...CONTEXT,
    internalIps: ['192.0.2.9'],
    hostIps: ['192.0.2.9'],
    podCidrs: [],
    encryptionKey: 255,
    wireguardPublicKey: '',
  };

  it.each<[string, Partial<NodeRow>, WireGuardRow | undefined]>([
    ['the key of this node', { hasEpochs: true }, row('west', epoch(keyOf(1)))],
    ['the key of another node', { hasEpochs: true }, row('west', epoch(keyOf(5)))],
    ['no WireGuard key', { wireguardPublicKey: 'x' }, undefined],
    ['the key of all zeros', { wireguardPublicKey: keyOf(0) }, undefined],
    ['the key of this node, of no epoch', { wireguardPublicKey: keyOf(1) }, undefined],
    ['the key of another node, of no epoch', { wireguardPublicKey: keyOf(5) }, undefined],
  ])('%s, and the other one keeps it', (_what, more, published) => {
    const tables = ownTables(new ManualClock());
    const { remoteNodes, localNodes, localWireGuard, remoteWireGuard } = tables.sources;
    remoteNodes.put('west/n1', { ...node, ...more });
    localNodes.put('east/n2', { ...node, cluster: 'east', clusterId: 1, name: 'n2', internalIps: ['192.0.2.2'] });
    localWireGuard.put('east/n1', row('east', epoch(keyOf(1))));
    localWireGuard.put('east/n2', { ...row('east', epoch(keyOf(5))), name: 'n2' });
    if (published) remoteWireGuard.put('west/n1', published);
    const encryption = new EncryptionTables(tables, OWN_NODE);
    const peers = new Map(encryption.peers(OWN_KEYS).map((peer) => [peer.name, peer]));
    expect(peers.get('west/n1')).toEqual({ name: 'west/n1', tx: 'closed', record: undefined });
    expect(peers.get('east/n2')?.record?.epochs[0]?.publicKey).toBe(keyOf(5));
    expect([encryption.published()?.minTx, tables.peers.get('192.0.2.9')?.tx]).toEqual([8, 'closed']);
  });
});

describe('epochs', () => {
  const view = (theirs: WireGuardRecord['epochs'], keys: ReadonlyMap<number, string> = OWN_KEYS): RotationView => {
    const peers = new Map([[keyOf(5), { confirmed: true, asks: false, secret: false }]]);
    const devices = { even: { publicKey: keys.get(8), peers }, odd: { publicKey: undefined, peers: new Map() } };
    const west = { name: 'west/n1', tx: 'even', record: { epochs: theirs, minTx: 8, laggards: [] } } as const;
    return { name: 'east/n1', target: 8, keys, devices, published: undefined, peers: [west] };
  };
  const actions = (given: RotationView) => new Rotation({ drainMs: 1, maxOverlapMs: 1 }).step(given, 0);

  it('of a node that go back close it: nothing is sent by what this node has no more', () => {
    expect(actions(view([epoch(keyOf(5))])).map((action) => action.do)).not.toContain('close');
    expect(actions(view([epoch(keyOf(5), 6)]))).toContainEqual({ do: 'close', peer: 'west/n1' });
  });

  it('of a target that go back move nobody', () => {
    const here = [{ cluster: 'east', epochs: [8] }];
    for (const cluster of ['east', 'west'])
      expect(meshTarget({ cluster: 'east', newest: 8 }, [{ cluster, target: 5 }], here).epoch).toBe(8);
  });

  it('of another cluster that jump are ignored, and named', () => {
    const here = [{ cluster: 'east', epochs: [8] }];
    const far = { cluster: 'west', target: 10 };
    expect(meshTarget({ cluster: 'east', newest: 8 }, [far], here)).toEqual({ epoch: 8, ignored: [far] });
  });

  it.each(['{"target":0', '{"target":4294967296', '{"target":"9"'])('of a target that are none drop it: %s', (begins) => {
    const text = `${begins},"cluster":"west","clusterID":2,"startedAt":"2026-01-01T00:00:00Z","by":"","reason":""}`;
    expect(decodeWireGuardTarget(Buffer.from(text), { ...CONTEXT, name: 'target' }).ok).toBe(false);
  });

  it('whose key is lost get another one', () => {
    expect(actions(view([epoch(keyOf(5))], new Map()))).toContainEqual({ do: 'make-key', epoch: 8 });
  });
});

describe('on this machine', () => {
  let folder: string;
  let path: string | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-bad-input-'));
    path = process.env['PATH'];
    process.env['PATH'] = folder; // no programs at all
  });
  afterEach(() => {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true });
  });

  it.each<[string, string, (file: string) => void]>([
    ['that others may read', 'KEY_FILE_OPEN', (file) => chmodSync(file, 0o644)],
    ['that is cut off', 'WIREGUARD_KEY', (file) => truncateSync(file, 30)],
  ])('a key file %s is not used, and told of', async (_what, code, breaks) => {
    const keys = new EpochKeyFolder(folder);
    await keys.save(8, WireGuardKey.generate(systemRandomBytes));
    breaks(keys.file(8));
    const { keys: usable, broken } = await keys.load();
    expect([usable.size, [...broken.values()]]).toEqual([0, [expect.objectContaining({ code })]]);
  });

  it('a network that is too narrow for IPv6 in WireGuard is refused', () => {
    expect(() => checkPodMtu(wireguardMtu(1_389, 4) - 50, 'eth0')).toThrow(
      expect.objectContaining({ code: 'WIREGUARD_MTU', object: 'eth0' }),
    );
    expect(() => checkPodMtu(wireguardMtu(1_404, 4) - 50, 'eth0')).not.toThrow();
  });

  it('no WireGuard leaves the agent not ready, and says what is missing', async () => {
    const missing = { code: 'WIREGUARD_UNAVAILABLE', message: expect.stringContaining('wireguard-go is not on the path') };
    await expect(serveDevice('isth_nowhere')).rejects.toMatchObject(missing);
    const failure = await new WgTool().show('isth_nowhere').catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'WIREGUARD_DEVICE', message: expect.stringContaining('wg') });
    const others = { podCidrsKnown: true, tables: ownTables(), sinks: undefined, remotes: [], remotesListed: true, meshWaitOver: true };
    expect(readinessOf({ ...others, defect: undefined, encryptionProblem: (failure as Error).message })).toMatch(/^encryption: /);
  });
});
