import fc from 'fast-check';
import { Cidr, canonicalCidr, maskBytes, maskLength, parseCidr } from './cidr.ts';
import { familyBits, Ip, parseIp } from './ip.ts';

const cidr = (text: string): Cidr => parseCidr(text)!;
const anyCidr = fc
  .tuple(fc.constantFrom<4 | 6>(4, 6), fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(128))
  .map(([family, bytes, length]) => new Cidr(new Ip(family, bytes.slice(0, familyBits(family) / 8)), length % (familyBits(family) + 1)));

describe('canonicalCidr', () => {
  it.each([
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3/32', '10.1.2.3/32'],
    ['1.2.3.4/0', '0.0.0.0/0'],
    ['10.255.255.255/9', '10.128.0.0/9'],
    ['2001:DB8::ffff/112', '2001:db8::/112'],
  ])('%s becomes %s', (text, canonical) => {
    expect(canonicalCidr(text)).toBe(canonical);
  });

  it.each(['10.0.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/-1', '10.0.0.0/8/8', '/8', '10.0.0.0/ 8'])(
    'refuses %j',
    (text) => {
      expect(canonicalCidr(text)).toBeUndefined();
    },
  );
});

describe('Cidr', () => {
  it('contains its own addresses and nothing of the other family', () => {
    expect(cidr('10.0.0.0/9').contains(parseIp('10.127.255.255')!)).toBe(true);
    expect(cidr('10.0.0.0/9').contains(parseIp('10.128.0.0')!)).toBe(false);
    expect(cidr('0.0.0.0/0').contains(parseIp('::')!)).toBe(false);
  });

  it('overlaps in both directions', () => {
    expect(cidr('10.0.0.0/8').overlaps(cidr('10.9.0.0/16'))).toBe(true);
    expect(cidr('10.9.0.0/16').overlaps(cidr('10.0.0.0/8'))).toBe(true);
    expect(cidr('10.8.0.0/16').overlaps(cidr('10.9.0.0/16'))).toBe(false);
    expect(cidr('::/0').overlaps(cidr('0.0.0.0/0'))).toBe(false);
  });

  it('counts addresses and subnets', () => {
    expect(String(cidr('10.0.0.0/24').nth(255))).toBe('10.0.0.255');
    expect(String(cidr('fd00::/64').nth(1n << 63n))).toBe('fd00::8000:0:0:0');
    expect(() => cidr('10.0.0.0/24').nth(256)).toThrow(RangeError);
    expect(() => cidr('10.0.0.0/24').nth(-1)).toThrow(RangeError);
    expect(String(cidr('10.0.0.0/16').subnet(24, 255))).toBe('10.0.255.0/24');
    expect(() => cidr('10.0.0.0/16').subnet(24, 256)).toThrow(RangeError);
    expect(() => cidr('10.0.0.0/16').subnet(8, 0)).toThrow(RangeError);
  });

  it('finds the index of what nth gave', () => {
    fc.assert(
      fc.property(anyCidr, fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (network, n) => {
        const index = n % network.size;
        expect(network.indexOf(network.nth(index))).toBe(index);
      }),
    );
  });

  it('reads back what it writes', () => {
    fc.assert(fc.property(anyCidr, (network) => expect(parseCidr(String(network))!.equals(network)).toBe(true)));
  });
});

describe('netmasks', () => {
  it('have a length, or none when the ones are not contiguous', () => {
    fc.assert(fc.property(fc.nat(32), (length) => expect(maskLength(maskBytes(4, length))).toBe(length)));
    fc.assert(fc.property(fc.nat(128), (length) => expect(maskLength(maskBytes(6, length))).toBe(length)));
    expect(maskLength(Uint8Array.of(255, 0, 255, 0))).toBeUndefined();
    expect(maskLength(Uint8Array.of(255, 253, 0, 0))).toBeUndefined();
  });
});
