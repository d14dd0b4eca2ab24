import { Ip } from '@isthmus/net';
import fc from 'fast-check';
import { asPathLength, asPathText } from './as-path.codec.ts';
import { decodeAttributes, encodeAttributes } from './attributes.codec.ts';
import type { PathAttributes } from './path-attributes.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => new Ip(4, bytes).toString());
const some = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(each, { minLength: 1, maxLength: 5 });
const segment = fc.record({
  type: fc.constantFrom('sequence', 'set', 'confed-sequence', 'confed-set'),
  asns: fc.array(u32, { minLength: 1, maxLength: 3 }),
});

const attributes = fc.record(
  {
    origin: fc.constantFrom(0, 1, 2),
    asPath: fc.array(segment, { maxLength: 3 }),
    med: u32,
    localPref: u32,
    atomicAggregate: fc.constant(true as const),
    aggregator: fc.record({ asn: u32, address: ipv4 }),
    communities: some(u32),
    extendedCommunities: some(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
    largeCommunities: some(fc.record({ global: u32, local1: u32, local2: u32 })),
    originatorId: ipv4,
    clusterList: some(ipv4),
    unknown: fc.tuple(fc.record({ type: fc.constantFrom(99, 200), flags: fc.constant(0xe0), value: fc.uint8Array({ maxLength: 300 }) })),
  },
  { requiredKeys: ['origin', 'asPath'] },
);

const NEXT_HOP = Uint8Array.of(10, 0, 0, 1);

describe('path attributes', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(attributes, (given) => {
        const whole = { ...given, nextHop: '10.0.0.1' } as PathAttributes;
        expect(decodeAttributes(encodeAttributes(whole), NEXT_HOP)).toEqual(whole);
      }),
    );
  });

  it('are the same bytes for the same attributes, in whatever order they came', () => {
    const block = Buffer.from('800404000000074001010040020602010000fde9', 'hex');
    expect(Buffer.from(encodeAttributes(decodeAttributes(block, NEXT_HOP))).toString('hex')).toBe(
      '4001010040020602010000fde980040400000007',
    );
  });

  it('have two next hops where the peer gave two, and none of their own', () => {
    const both = Buffer.from('20010db8000000000000000000000001fe800000000000000000000000000001', 'hex');
    const path = Buffer.from('400101004002 00'.replaceAll(' ', ''), 'hex');
    expect(decodeAttributes(path, both)).toEqual({ origin: 0, asPath: [], nextHop: '2001:db8::1', linkLocalNextHop: 'fe80::1' });
    expect(decodeAttributes(path, new Uint8Array(0)).nextHop).toBe('');
  });

  it('take a path of more numbers than a segment has room for', () => {
    const asns = Array.from({ length: 300 }, (_, i) => i + 1);
    const { asPath } = decodeAttributes(encodeAttributes({ origin: 0, asPath: [{ type: 'sequence', asns }], nextHop: '' }), NEXT_HOP);
    expect(asPath.map((each) => each.asns.length)).toEqual([255, 45]);
    expect(asPathLength(asPath)).toBe(300);
  });

  it('are written as people write them', () => {
    const path = [
      { type: 'confed-sequence', asns: [64512] },
      { type: 'sequence', asns: [65001, 65002] },
      { type: 'set', asns: [65010, 65011] },
    ] as const;
    expect([asPathText(path), asPathLength(path)]).toEqual(['(64512) 65001 65002 {65010,65011}', 3]);
  });
});
