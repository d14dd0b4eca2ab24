import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { addressBytes, canonicalIp, Ip, parseIp } from './ip.ts';

const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => new Ip(4, bytes));
/** Bytes with many zeros, so that runs occur. */
const sparse = fc.oneof(fc.constant(0), fc.constant(0), fc.nat(255));
const v6 = fc.array(sparse, { minLength: 16, maxLength: 16 }).map((bytes) => new Ip(6, Uint8Array.from(bytes)));
const anyIp = fc.oneof(v4, v6);

describe('canonicalIp', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:DB8::0001', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::1.2.3.4', '::102:304'],
    ['::ffff:a00:1', '::ffff:10.0.0.1'],
    ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
  ])('%s becomes %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });

  it.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '1..2.3',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.',
    '.1.2.3',
    '0x1.2.3.4',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '::1.2.3',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1:',
    ':1',
    '::/0',
    '1:2:3:4:5:6:7:8:',
    '0'.repeat(100),
  ])('refuses %j', (text) => {
    expect(canonicalIp(text)).toBeUndefined();
  });

  it('unmaps on request only', () => {
    expect(canonicalIp('::ffff:10.0.0.1', { unmap: true })).toBe('10.0.0.1');
    expect(canonicalIp('::fffe:10.0.0.1', { unmap: true })).toBe('::fffe:a00:1');
  });

  it('agrees with ipaddr.js about every address', () => {
    fc.assert(
      fc.property(anyIp, (ip) => {
        const oracle = ipaddr.fromByteArray([...ip.bytes]);
        if (!ip.mapped) expect(ip.toString()).toBe(oracle instanceof ipaddr.IPv6 ? oracle.toRFC5952String() : oracle.toString());
        expect(parseIp(oracle.toNormalizedString())?.equals(ip)).toBe(true);
      }),
    );
  });

  it('never throws, and what it accepts is a fixed point', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789abcdefF:.%/') }));
    fc.assert(
      fc.property(text, (t) => {
        const canonical = canonicalIp(t);
        if (canonical !== undefined) expect(canonicalIp(canonical)).toBe(canonical);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('Ip', () => {
  it('orders by family, then by bytes', () => {
    const sorted = ['10.0.0.2', '::1', '9.0.0.1', 'ff::', '10.0.0.1'].map((t) => parseIp(t)!).sort((a, b) => a.compare(b));
    expect(sorted.map(String)).toEqual(['9.0.0.1', '10.0.0.1', '10.0.0.2', '::1', 'ff::']);
  });

  it('refuses bytes of the wrong length', () => {
    expect(() => new Ip(4, new Uint8Array(16))).toThrow(RangeError);
  });

  it('gives family and bytes of canonical text, and names what is none', () => {
    expect(addressBytes('10.0.0.1')).toEqual({ family: 4, bytes: Uint8Array.of(10, 0, 0, 1) });
    expect(() => addressBytes('nonsense')).toThrow('"nonsense"');
  });
});
