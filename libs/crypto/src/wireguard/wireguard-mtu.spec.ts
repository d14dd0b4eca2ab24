import { checkPodMtu, wireguardMtu } from './wireguard-mtu.ts';

it.each<[number, 4 | 6, number]>([
  [1500, 4, 1440],
  [1500, 6, 1408],
  [9001, 6, 8912],
  [1400, 4, 1328],
  [1476, 4, 1408],
])('over a device of %d bytes and IPv%d there is room for %d', (mtu, family, room) => {
  expect(wireguardMtu(mtu, family)).toBe(room);
  expect(room % 16).toBe(0);
});

it('refuses what is too small for IPv6, and names the device', () => {
  expect(() => checkPodMtu(1280, 'eth0')).not.toThrow();
  expect(() => checkPodMtu(1279, 'eth0')).toThrow(expect.objectContaining({ code: 'WIREGUARD_MTU', object: 'eth0' }));
});
