import { type Cidr, parseCidr } from '@isthmus/net';
import { freeSubnet } from './free-subnet.ts';

const cidr = (text: string): Cidr => parseCidr(text)!;

it.each<[network: string, length: number, taken: string[], free: string | undefined]>([
  ['10.0.0.0/16', 24, [], '10.0.0.0/24'],
  ['10.0.0.0/16', 24, ['10.0.1.0/24', '10.0.0.0/24'], '10.0.2.0/24'],
  ['10.0.0.0/16', 24, ['10.0.0.0/24', '10.0.2.0/24'], '10.0.1.0/24'],
  ['10.0.0.0/16', 24, ['10.0.0.77/32'], '10.0.1.0/24'],
  ['10.0.0.0/16', 24, ['10.0.0.0/20', '10.0.3.0/24'], '10.0.16.0/24'],
  ['10.0.0.0/16', 24, ['10.0.0.0/8'], undefined],
  ['10.0.0.0/16', 24, ['11.0.0.0/8', '10.1.0.0/16', 'fd00::/8'], '10.0.0.0/24'],
  ['10.0.0.0/23', 24, ['10.0.0.0/24', '10.0.1.0/25'], undefined],
  ['10.0.0.0/24', 24, [], '10.0.0.0/24'],
  ['10.0.0.0/24', 24, ['10.0.0.0/24'], undefined],
  ['10.0.0.0/24', 16, [], undefined],
  ['0.0.0.0/0', 1, ['0.0.0.0/1'], '128.0.0.0/1'],
  ['fd00::/48', 64, ['fd00::/64'], 'fd00:0:0:1::/64'],
])('in %s a free /%i beside %j is %s', (network, length, taken, free) => {
  expect(freeSubnet(cidr(network), length, taken.map(cidr))?.toString()).toBe(free);
});
