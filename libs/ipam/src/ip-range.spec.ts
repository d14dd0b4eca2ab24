import { parseCidr, parseIp } from '@isthmus/net';
import { gatewayOf, IpRange } from './ip-range.ts';

const all = (cidr: string): string[] => {
  const range = new IpRange(parseCidr(cidr)!);
  const found: string[] = [];
  for (let ip = range.next(); ip; ip = range.next()) {
    range.take(ip);
    found.push(ip.toString());
  }
  return found;
};

test.each([
  ['10.0.0.0/29', ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6'], '10.0.0.1'],
  ['10.0.0.0/30', ['10.0.0.2'], '10.0.0.1'],
  ['10.0.0.0/31', ['10.0.0.0', '10.0.0.1'], undefined],
  ['10.0.0.7/32', ['10.0.0.7'], undefined],
  ['fd00::/125', ['fd00::2', 'fd00::3', 'fd00::4', 'fd00::5', 'fd00::6', 'fd00::7'], 'fd00::1'],
  ['fd00::/127', ['fd00::', 'fd00::1'], undefined],
])('%s gives out what is neither network, gateway nor broadcast', (cidr, expected, gateway) => {
  expect(all(cidr)).toEqual(expected);
  expect(gatewayOf(parseCidr(cidr)!)?.toString()).toBe(gateway);
});

test('goes on behind the last one, and comes round to what was freed', () => {
  const range = new IpRange(parseCidr('10.0.0.0/29')!);
  for (let i = 0; i < 4; i++) range.take(range.next()!);
  range.free(parseIp('10.0.0.2')!);
  range.free(parseIp('10.0.0.3')!);
  expect(`${range.next()}`).toBe('10.0.0.6');
  expect(`${range.next()}`).toBe('10.0.0.2');
});

test('a /8 of IPv6 costs nothing until it is used', () => {
  const range = new IpRange(parseCidr('fd00::/8')!);
  range.cursor = range.size;
  expect(range.next()?.toString()).toBe('fdff:ffff:ffff:ffff:ffff:ffff:ffff:fffe');
  expect(range.next()?.toString()).toBe('fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff');
  expect(range.next()?.toString()).toBe('fd00::2');
});
