import { join } from 'node:path';
import {
  addrKeyOf,
  BPF_LOAD,
  BPF_MAP_FULL,
  BPF_OBJECT,
  BpfMap,
  BpfObject,
  decodeIpcacheValue,
  encodeAddrKey,
  encodeIpcacheKey,
  encodeIpcacheValue,
  endpointValueLayout,
  ipcacheKeyOf,
} from '@isthmus/datapath';
import { type Bpffs, mountBpffs } from './bpffs.ts';
import { configBytes, objectPath } from './datapath.ts';

let bpffs: Bpffs;
const open: { close(): void }[] = [];

beforeEach(() => {
  bpffs = mountBpffs();
});

afterEach(() => {
  for (const thing of open.splice(0)) thing.close();
  bpffs.remove();
});

function load(name: string, more: Partial<Parameters<typeof BpfObject.load>[0]> = {}): BpfObject {
  const object = BpfObject.load({ path: objectPath(name), config: configBytes(), ...more });
  open.push(object);
  return object;
}

const key = (index: number): Uint8Array => encodeAddrKey(addrKeyOf(Uint8Array.of(10, index >> 16, (index >> 8) & 255, index & 255)));
const value = (index: number): Uint8Array => new Uint8Array(endpointValueLayout.size).fill(index & 255);

describe('BpfObject', () => {
  it('loads every object with all its programs', () => {
    const programs = ['pod', 'host', 'netdev', 'egress', 'overlay', 'geneve'].flatMap((name) => load(name).programs());
    expect(programs).toEqual(['from_pod', 'from_host', 'from_netdev', 'to_netdev', 'from_overlay', 'decap_geneve']);
    expect(load('sock').programs()).toHaveLength(8);
  });

  it('shares pinned maps between objects and with a later process', () => {
    const pinFolder = join(bpffs.path, 'node');
    load('pod', { pinFolder }).map('isth_endpoints').set(key(1), value(7));
    expect(load('overlay', { pinFolder }).map('isth_endpoints').lookup(key(1))).toEqual(value(7));
    for (const object of open.splice(0)) object.close();
    expect(load('pod', { pinFolder }).map('isth_endpoints').lookup(key(1))).toEqual(value(7));
    const pinned = BpfMap.open(join(pinFolder, 'isth_endpoints'), 'isth_endpoints');
    open.push(pinned);
    expect([...pinned.entries()]).toEqual([[key(1), value(7)]]);
  });

  it('shows what the verifier says', () => {
    const refused = () => load('tests/refused');
    expect(refused).toThrow(expect.objectContaining({ code: BPF_LOAD.code, object: 'refused.bpf.o' }));
    expect(refused).toThrow(/invalid access to packet/);
  });

  it('says which file, program, map or configuration is wrong', () => {
    const missing = expect.objectContaining({ code: BPF_OBJECT.code });
    expect(() => load('nothing')).toThrow(missing);
    expect(() => load('pod', { config: new Uint8Array(3) })).toThrow(/wants a configuration of \d+ bytes and was given 3/);
    expect(() => load('pod').program('nothing')).toThrow('holds no program nothing');
    expect(() => load('pod').map('nothing')).toThrow('holds no map nothing');
  });
});

describe('BpfMap', () => {
  it('writes, lists and removes thousands of rows in batches, absent ones among them', async () => {
    const map = load('pod').map('isth_endpoints');
    const indexes = Array.from({ length: 5000 }, (_, index) => index);
    await map.update(indexes.map(key), indexes.map(value));
    const seen = new Map([...map.entries()].map(([k, v]) => [Buffer.from(k).toString('hex'), v]));
    expect(seen.size).toBe(5000);
    expect(seen.get(Buffer.from(key(4711)).toString('hex'))).toEqual(value(4711));
    await map.delete([...indexes.filter((index) => index % 2 === 0), 9001, 9002].map(key));
    await map.delete(indexes.filter((index) => index % 3 === 0).map(key));
    const left = [...map.entries()].length;
    expect(left).toBe(indexes.filter((index) => index % 2 !== 0 && index % 3 !== 0).length);
  });

  it('works on longest-prefix maps', async () => {
    const map = load('pod').map('isth_ipcache');
    const prefixes = Array.from({ length: 3000 }, (_, index) =>
      encodeIpcacheKey(ipcacheKeyOf(Uint8Array.of(10, index >> 8, index & 255, 0), 24)),
    );
    const rows = prefixes.map((_, index) => encodeIpcacheValue({ identity: index, peer: 0, flags: 0, cluster: 0 }));
    await map.update(prefixes, rows);
    expect([...map.entries()].map(([, row]) => decodeIpcacheValue(row).identity).sort((a, b) => a - b)).toEqual(prefixes.map((_, i) => i));
    await map.delete(prefixes);
    expect([...map.entries()]).toEqual([]);
  });

  it('names the map that is full, and its size', async () => {
    const map = load('pod', { maxEntries: { isth_endpoints: 3 } }).map('isth_endpoints');
    const indexes = [0, 1, 2, 3];
    await expect(map.update(indexes.map(key), indexes.map(value))).rejects.toMatchObject({
      code: BPF_MAP_FULL.code,
      object: 'isth_endpoints',
    });
    expect([...map.entries()]).toHaveLength(3);
    expect(() => map.set(key(9), value(9))).toThrow('map isth_endpoints is full: it holds 3 entries');
  });

  it('does not let the kernel read beyond what it was given', async () => {
    const map = load('pod').map('isth_endpoints');
    expect(() => map.set(new Uint8Array(4), value(0))).toThrow(RangeError);
    await expect(map.update([key(0)], [new Uint8Array(3)])).rejects.toThrow(RangeError);
    expect(map.lookup(key(0))).toBeUndefined();
    expect(map.unset(key(0))).toBe(false);
  });
});
