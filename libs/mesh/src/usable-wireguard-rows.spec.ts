import type { WireGuardRow } from '@isthmus/model';
import { usableWireGuardRows } from './usable-wireguard-rows.ts';

const row = (name: string, ...keys: string[]): [string, WireGuardRow] => {
  const [cluster = '', node = ''] = name.split('/');
  const epochs = keys.map((publicKey, i) => ({ epoch: 6 + i, publicKey, port: 51_871 + i }));
  return [name, { cluster, clusterId: 1, name: node, epochs, minTx: 6, laggards: [] }];
};
const usable = (...rows: [string, WireGuardRow][]): string[] => [...usableWireGuardRows(rows, 'east').keys()].sort();

describe('usableWireGuardRows', () => {
  it('are all, where no key is claimed twice', () => {
    const rows = [row('west/n1', 'a', 'b'), row('east/n1', 'c'), row('north/n1')];
    expect(usableWireGuardRows(rows, 'east')).toEqual(new Map(rows));
  });

  it('lack whoever claims a key of a node before it, whichever epoch it is of, and whoever came first', () => {
    const [first, second] = [row('north/n1', 'a', 'b'), row('north/n2', 'c', 'a')];
    expect(usable(first, second)).toEqual(['north/n1']);
    expect(usable(second, first)).toEqual(['north/n1']);
    expect(usable(row('north/n10', 'a'), row('north/n1', 'a'), row('north/n2', 'a'))).toEqual(['north/n1']);
  });

  it('are not cut off by keys that a node which is out itself has', () => {
    expect(usable(row('north/n1', 'a'), row('north/n2', 'a', 'b'), row('north/n3', 'b'))).toEqual(['north/n1', 'north/n3']);
  });

  it('are those of the own cluster first: another one cannot take their keys', () => {
    expect(usable(row('a/thief', 'a'), row('east/n1', 'a'), row('b/thief', 'a'))).toEqual(['east/n1']);
  });
});
