import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import {
  addrKeyOf,
  BPF_MAP_FULL,
  BPF_MAP_LAYOUT,
  BpfMap,
  BpfObject,
  decodePeerValue,
  decodeRevnatValue,
  encodeId,
  encodeMetricKey,
  encodePeerValue,
  PeerMode,
  sumOverCpus,
} from '@isthmus/datapath';
import { type Bpffs, mountBpffs } from './bpffs.ts';
import { configBytes, objectPath } from './datapath.ts';

/** Offsets in `struct previous_peer`, `previous_counter` and `previous_revnat` of programs/previous-layout.bpf.c. */
const PEER = { bytes: 24, addr: 0, cluster: 16, family: 20, mode: 21, forgotten: 22 };
const REVNAT = { bytes: 24, family: 2, protocol: 20, port: 22 };
const MANY = 3000;

let bpffs: Bpffs;
let pinFolder: string;
const open: { close(): void }[] = [];

beforeEach(() => {
  bpffs = mountBpffs();
  pinFolder = join(bpffs.path, 'node');
  mkdirSync(pinFolder);
});

afterEach(() => {
  for (const thing of open.splice(0)) thing.close();
  bpffs.remove();
});

function load(name: string, more: Partial<Parameters<typeof BpfObject.load>[0]> = {}): BpfObject {
  const object = BpfObject.load({ path: objectPath(name), config: configBytes(), pinFolder, ...more });
  open.push(object);
  return object;
}

/** A map of an earlier version, pinned where today's would be. */
function previous(name: string): BpfMap {
  const folder = join(bpffs.path, 'previous');
  load('tests/previous-layout', { pinFolder: folder });
  renameSync(join(folder, `previous_${name}`), join(pinFolder, `isth_${name}`));
  return pinned(name);
}

function pinned(name: string): BpfMap {
  const map = BpfMap.open(join(pinFolder, `isth_${name}`), `isth_${name}`);
  open.push(map);
  return map;
}

function previousPeer(cluster: number): Uint8Array {
  const bytes = new Uint8Array(PEER.bytes).fill(7, PEER.addr, PEER.addr + 16);
  new DataView(bytes.buffer).setUint32(PEER.cluster, cluster, true);
  bytes.set([2, PeerMode.native, 9, 9], PEER.family);
  return bytes;
}

describe('a pinned map of another layout', () => {
  it('gives its rows to a new one, field by field, and its place', () => {
    const old = previous('peers');
    for (let id = 1; id <= 900; id++) old.set(encodeId(id), previousPeer(id));
    const object = load('pod');
    expect(object.migrated).toEqual([{ name: 'isth_peers', rows: 900, changes: expect.arrayContaining(['value: tx is new']) }]);
    expect(object.migrated[0]?.changes).toEqual(expect.arrayContaining(['value: forgotten is gone', 'maxEntries is 1000, wanted 65536']));
    const row = object.map('isth_peers').lookup(encodeId(255));
    expect(row && decodePeerValue(row)).toEqual({
      family: 2,
      mode: PeerMode.native,
      tx: 0,
      addr: new Uint8Array(16).fill(7),
      cluster: 255,
    });
    expect([...pinned('peers').entries()]).toHaveLength(900);
    expect(pinned('peers').info).toEqual(object.map('isth_peers').info);
    // What still runs on the old one has all of it.
    expect([...old.entries()]).toHaveLength(900);
    // The other objects find it done.
    expect(load('overlay').migrated).toEqual([]);
  });

  it('is found out also where only the places of fields differ', () => {
    const old = previous('revnat');
    const bytes = new Uint8Array(REVNAT.bytes);
    bytes.set([2], REVNAT.family);
    bytes.set([17], REVNAT.protocol);
    new DataView(bytes.buffer).setUint16(REVNAT.port, 8080);
    old.set(encodeId(3), bytes);
    const row = load('sock').map('isth_revnat').lookup(encodeId(3));
    expect(row && decodeRevnatValue(row)).toMatchObject({ port: 8080, protocol: 17, addr: { family: 2 } });
  });

  it('keeps what each processor counted', () => {
    const old = previous('metrics');
    const key = encodeMetricKey({ reason: 5, direction: 1 });
    const counters = new BigUint64Array(old.valueBytes / 8);
    for (let at = 0; at < counters.length; at += 2) counters.set([1000n, 3n], at);
    old.set(key, new Uint8Array(counters.buffer));
    const cpus = counters.length / 2;
    expect(sumOverCpus(load('pod').map('isth_metrics').lookup(key) as Uint8Array)).toEqual({ packets: 3 * cpus, bytes: 1000 * cpus });
  });

  it('is refused where nobody can tell what a field means now, and keeps its rows', () => {
    const old = previous('backends');
    old.set(encodeId(1), new Uint8Array(old.valueBytes));
    const migrate = (): unknown => load('sock');
    expect(migrate).toThrow(expect.objectContaining({ code: BPF_MAP_LAYOUT.code, object: 'isth_backends' }));
    expect(migrate).toThrow('a field means something else now');
    expect([...pinned('backends').entries()]).toHaveLength(1);
  });

  it('is refused where a row holds more than fits', () => {
    const old = previous('peers');
    old.set(encodeId(1), previousPeer(70_000));
    expect(() => load('pod')).toThrow('a row holds more than fits');
    expect([...pinned('peers').entries()]).toHaveLength(1);
  });

  it('is refused when it is a map of another kind', () => {
    load('pod');
    renameSync(join(pinFolder, 'isth_events'), join(pinFolder, 'isth_peers'));
    expect(() => load('pod')).toThrow(expect.objectContaining({ code: BPF_MAP_LAYOUT.code, object: 'isth_peers' }));
  });
});

describe('a pinned map of another size', () => {
  const peer = (id: number) => encodePeerValue({ ...addrKeyOf(Uint8Array.of(10, 0, 0, 1)), mode: 1, tx: 0, cluster: id });

  it('gets the size that is wanted, with all its rows', () => {
    const first = load('pod', { maxEntries: { isth_peers: MANY } }).map('isth_peers');
    for (let id = 1; id <= MANY; id++) first.set(encodeId(id), peer(id));
    expect(() => first.set(encodeId(MANY + 1), peer(1))).toThrow(expect.objectContaining({ code: BPF_MAP_FULL.code }));
    const larger = load('pod', { maxEntries: { isth_peers: MANY + 1 } });
    expect(larger.migrated).toEqual([{ name: 'isth_peers', rows: MANY, changes: [`maxEntries is ${MANY}, wanted ${MANY + 1}`] }]);
    larger.map('isth_peers').set(encodeId(MANY + 1), peer(1));
    expect([...pinned('peers').entries()]).toHaveLength(MANY + 1);
  });

  it('is not made smaller than its rows need, and says so', () => {
    const map = load('pod').map('isth_peers');
    for (let id = 1; id <= 5; id++) map.set(encodeId(id), peer(id));
    const smaller = (): unknown => load('pod', { maxEntries: { isth_peers: 4 } });
    expect(smaller).toThrow(expect.objectContaining({ code: BPF_MAP_FULL.code, object: 'isth_peers' }));
    expect(smaller).toThrow('it holds 4 entries');
    expect([...pinned('peers').entries()]).toHaveLength(5);
  });
});

describe('programs that still run on a map that was migrated', () => {
  it('have what they wrote meanwhile taken over when others are in their places, unless those wrote it too', () => {
    load('sock');
    // What attached programs hold.
    const old = pinned('sock_nat');
    const key = (first: number): Uint8Array => new Uint8Array(old.info.keySize).fill(first);
    const value = (first: number): Uint8Array => new Uint8Array(old.info.valueSize).fill(first);
    const object = load('sock', { maxEntries: { isth_sock_nat: 1000 } });
    old.set(key(1), value(1));
    old.set(key(2), value(2));
    object.map('isth_sock_nat').set(key(2), value(3));
    object.migrationsDone();
    expect(object.map('isth_sock_nat').lookup(key(1))).toEqual(value(1));
    expect(object.map('isth_sock_nat').lookup(key(2))).toEqual(value(3));
  });
});
