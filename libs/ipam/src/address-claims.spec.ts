import { parseCidr, parseIp } from '@isthmus/net';
import { AddressClaims } from './address-claims.ts';
import { AddressSpan, mergeSpans } from './address-span.ts';

const span = (first: string, last: string) => new AddressSpan(parseIp(first)!, parseIp(last)!);
const whole = (cidr: string, ends?: boolean) => AddressSpan.ofCidr(parseCidr(cidr)!, ends);

describe('AddressSpan', () => {
  it('counts, contains and overlaps', () => {
    expect(whole('10.0.0.0/24').size).toBe(256n);
    expect(whole('10.0.0.0/24', false).size).toBe(254n);
    expect([whole('10.0.0.0/31', false).size, whole('10.0.0.0/32', false).size, whole('fd00::/127', false).size]).toEqual([2n, 1n, 2n]);
    expect(whole('::/0').size).toBe(1n << 128n);
    const range = span('10.0.0.5', '10.0.0.9');
    expect(['10.0.0.4', '10.0.0.5', '10.0.0.9', '10.0.0.10', '::a00:5'].map((ip) => range.contains(parseIp(ip)!))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    expect([range.overlaps(span('10.0.0.9', '10.0.0.12')), range.overlaps(span('10.0.0.10', '10.0.0.12'))]).toEqual([true, false]);
    expect(whole('0.0.0.0/0').overlaps(whole('::/0'))).toBe(false);
    expect(() => span('10.0.0.2', '10.0.0.1')).toThrow(RangeError);
    expect(() => span('10.0.0.2', '::1')).toThrow(RangeError);
  });

  it('merges what overlaps or touches', () => {
    const merged = mergeSpans([
      whole('fd00::/126'),
      span('10.0.0.8', '10.0.0.20'),
      whole('10.0.0.0/29'),
      span('10.0.0.9', '10.0.0.10'),
      whole('10.0.1.0/30'),
    ]);
    expect(merged.map(({ family, size }) => [family, size])).toEqual([
      [4, 21n],
      [4, 4n],
      [6, 4n],
    ]);
  });
});

describe('AddressClaims', () => {
  it('gives every address of a span once, then none, and freed ones as late as it can', () => {
    const claims = new AddressClaims();
    const small = span('10.0.0.254', '10.0.1.1');
    const given = [1, 2, 3].map((n) => {
      const ip = claims.nextFree(small)!.toString();
      expect(claims.claim(ip, `s${n}`)).toBe(true);
      return ip;
    });
    expect(given).toEqual(['10.0.0.254', '10.0.0.255', '10.0.1.0']);
    claims.release('10.0.0.254');
    expect(claims.nextFree(small)?.toString()).toBe('10.0.1.1');
    claims.claim('10.0.1.1', 's4');
    expect(claims.nextFree(small)?.toString()).toBe('10.0.0.254');
    claims.claim('10.0.0.254', 's5');
    expect(claims.nextFree(small)).toBeUndefined();
  });

  it('has one owner for an address, however it is written', () => {
    const claims = new AddressClaims();
    expect([claims.claim('fd00::1', 'a'), claims.claim('fd00:0::1', 'a'), claims.claim('fd00:0:0::1', 'b')]).toEqual([true, true, false]);
    expect([claims.ownerOf('fd00:0::1'), claims.ownerOf('10.0.0.1'), claims.ownerOf('x')]).toEqual(['a', undefined, undefined]);
    claims.claim('10.0.0.1', 'a');
    expect(claims.addressesOf('a')).toEqual(['fd00::1', '10.0.0.1']);
    claims.release('fd00:0::1');
    claims.release('fd00::1');
    expect([claims.addressesOf('a'), claims.claim('fd00::1', 'b'), claims.claim('nothing', 'b')]).toEqual([['10.0.0.1'], true, false]);
  });
});
