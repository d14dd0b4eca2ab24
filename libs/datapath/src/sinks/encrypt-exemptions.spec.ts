import { ENCRYPTION_EXEMPTIONS, type EncryptionExemption } from '@isthmus/model';
import { decodeEncryptExemptKey } from '../generated/layouts.ts';
import { writeEncryptExemptions } from './encrypt-exemptions.ts';

/** A map in memory that writes down what is taken out of it. */
function fakeMap() {
  const rows = new Map<string, Uint8Array>();
  const removed: string[] = [];
  const nameOf = (key: Uint8Array): string => {
    const { protocol, port } = decodeEncryptExemptKey(key);
    return `${protocol}/${port}`;
  };
  return {
    rows: () => [...rows.keys()].sort(),
    removed,
    set: (key: Uint8Array) => void rows.set(nameOf(key), key.slice()),
    unset: (key: Uint8Array) => {
      removed.push(nameOf(key));
      return rows.delete(nameOf(key));
    },
    entries: () => [...rows.values()].map((key) => [key, Uint8Array.of(1)] as const),
  };
}

const tcp = (...ports: number[]): EncryptionExemption => ({ protocol: 'TCP', ports, purpose: 'a test' });

it('a map holds the ports that are exempt, those of an earlier agent no more, and none is gone in between', () => {
  const map = fakeMap();
  writeEncryptExemptions(map, [tcp(2379, 2380), { protocol: 'UDP', ports: [179], purpose: 'a test' }]);
  expect(map.rows()).toEqual(['17/179', '6/2379', '6/2380']);
  writeEncryptExemptions(map, [tcp(2380, 4240)]);
  expect(map.rows()).toEqual(['6/2380', '6/4240']);
  expect(map.removed.sort()).toEqual(['17/179', '6/2379']);
});

it('WireGuard, its preshared keys, DHCP, BGP and BFD are exempt everywhere', () => {
  const map = fakeMap();
  writeEncryptExemptions(map, ENCRYPTION_EXEMPTIONS);
  const udp = [51_871, 51_872, 67, 68, 546, 547, 3784, 3785, 4784];
  expect(map.rows()).toEqual([...udp.map((port) => `17/${port}`), '6/179', '6/51873'].sort());
});
