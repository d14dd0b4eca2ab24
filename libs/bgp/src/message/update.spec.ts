import fc from 'fast-check';
import { PLAIN_SESSION } from '../../testing/plain-session.ts';
import type { Negotiated } from '../capability/negotiated.ts';
import { BgpError } from '../error/bgp-error.ts';
import { parseUpdate } from './update.ts';

const EXTERNAL = PLAIN_SESSION;
const INTERNAL: Negotiated = { ...EXTERNAL, external: false };

const bytes = (hex: string): number[] => [...Buffer.from(hex.replace(/\s/g, ''), 'hex')];
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const u16 = (value: number): number[] => [value >> 8, value & 255];

/** A body out of hexadecimal parts: withdrawn routes, attributes, prefixes. */
function body(withdrawn: string, attributes: string, nlri: string): Uint8Array {
  const [gone, list] = [bytes(withdrawn), bytes(attributes)];
  return Uint8Array.from([...u16(gone.length), ...gone, ...u16(list.length), ...list, ...bytes(nlri)]);
}

const ORIGIN = '40 01 01 00';
const AS_PATH = '40 02 06 02 01 0000fde9'; // 65001
const NEXT_HOP = '40 03 04 0a000001';
const BASE = `${ORIGIN} ${AS_PATH} ${NEXT_HOP}`;
const KEPT = `${ORIGIN} ${AS_PATH}`.replace(/\s/g, '');
const PREFIX = '18 c00002'; // 192.0.2.0/24
const NLRI = 'c00002';
const REACH6 = '80 0e 1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8';
const UNREACH6 = '80 0f 08 0002 01 20 20010db8';

type Outcome =
  | { readonly keeps: string; readonly discards?: readonly number[] }
  | { readonly withdraws: number }
  | { readonly ends: readonly [code: number, subcode: number] };

/** What came of a message with the prefix 192.0.2.0/24 and these attributes. */
function outcome(attributes: string, negotiated: Negotiated, nlri = PREFIX): Outcome {
  try {
    const update = parseUpdate(body('', attributes, nlri), negotiated);
    const discards = update.faults.filter(({ action }) => action === 'attribute-discard').map(({ attribute }) => attribute);
    const fatal = update.faults.find(({ action }) => action === 'treat-as-withdraw');
    if (fatal) {
      expect([update.reach.length, update.attributes.length]).toEqual([0, 0]);
      expect(update.withdrawn.map((each) => hex(each.bytes))).toContain('18c00002');
      return { withdraws: fatal.attribute };
    }
    return { keeps: hex(update.attributes), ...(discards.length > 0 && { discards }) };
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    return { ends: [error.code, error.subcode] };
  }
}

const keeps = (more = '', discards?: readonly number[]): Outcome => ({
  keeps: KEPT + more.replace(/\s/g, ''),
  ...(discards && { discards }),
});

// RFC 7606 §3 to §7, each as bytes.
type Case = readonly [what: string, attributes: string, expected: Outcome, negotiated?: Negotiated];
const CASES: readonly Case[] = [
  ['all that must be there', BASE, keeps()],
  ['no ORIGIN', `${AS_PATH} ${NEXT_HOP}`, { withdraws: 1 }],
  ['no AS_PATH', `${ORIGIN} ${NEXT_HOP}`, { withdraws: 2 }],
  ['no NEXT_HOP', `${ORIGIN} ${AS_PATH}`, { withdraws: 3 }],
  ['ORIGIN of two bytes', `40 01 02 0000 ${AS_PATH} ${NEXT_HOP}`, { withdraws: 1 }],
  ['ORIGIN 3', `40 01 01 03 ${AS_PATH} ${NEXT_HOP}`, { withdraws: 1 }],
  ['ORIGIN as optional', `c0 01 01 00 ${AS_PATH} ${NEXT_HOP}`, { withdraws: 1 }],
  ['ORIGIN as not transitive', `00 01 01 00 ${AS_PATH} ${NEXT_HOP}`, { withdraws: 1 }],
  ['an empty AS_PATH', `${ORIGIN} 40 02 00 ${NEXT_HOP}`, { keeps: '40010100400200' }],
  ['two of them wrong: the first is told', `40 01 01 03 ${AS_PATH} ${NEXT_HOP} 80 04 03 000007`, { withdraws: 1 }],
  ['AS 0 on the path', `${ORIGIN} 40 02 0a 02 02 0000fde9 00000000 ${NEXT_HOP}`, { withdraws: 2 }],
  ['AS 0 as aggregator', `${BASE} c0 07 08 00000000 0a000009`, keeps('', [7])],
  ['an AS_PATH that ends within a number', `${ORIGIN} 40 02 05 02 01 0000fd ${NEXT_HOP}`, { withdraws: 2 }],
  ['an AS_PATH with a byte too many', `${ORIGIN} 40 02 07 02 01 0000fde9 02 ${NEXT_HOP}`, { withdraws: 2 }],
  ['an empty segment', `${ORIGIN} 40 02 02 02 00 ${NEXT_HOP}`, { withdraws: 2 }],
  ['a segment of type 5', `${ORIGIN} 40 02 06 05 01 0000fde9 ${NEXT_HOP}`, { withdraws: 2 }],
  ['a confederation segment from outside', `${ORIGIN} 40 02 06 03 01 0000fde9 ${NEXT_HOP}`, { withdraws: 2 }],
  ['NEXT_HOP of five bytes', `${ORIGIN} ${AS_PATH} 40 03 05 0a00000100`, { withdraws: 3 }],
  ['NEXT_HOP 0.0.0.0', `${ORIGIN} ${AS_PATH} 40 03 04 00000000`, { withdraws: 3 }],
  ['NEXT_HOP 224.0.0.1', `${ORIGIN} ${AS_PATH} 40 03 04 e0000001`, { withdraws: 3 }],
  ['MED', `${BASE} 80 04 04 00000007`, keeps('80 04 04 00000007')],
  ['MED of three bytes', `${BASE} 80 04 03 000007`, { withdraws: 4 }],
  ['LOCAL_PREF from outside', `${BASE} 40 05 04 00000064`, keeps('', [5])],
  ['LOCAL_PREF from inside', `${BASE} 40 05 04 00000064`, keeps('40 05 04 00000064'), INTERNAL],
  ['LOCAL_PREF of two bytes from inside', `${BASE} 40 05 02 0064`, { withdraws: 5 }, INTERNAL],
  ['ATOMIC_AGGREGATE with a value', `${BASE} 40 06 01 00`, keeps('', [6])],
  ['AGGREGATOR', `${BASE} c0 07 08 0000fde9 0a000009`, keeps('c0 07 08 0000fde9 0a000009')],
  ['AGGREGATOR of six bytes with four-octet numbers', `${BASE} c0 07 06 fde9 0a000009`, keeps('', [7])],
  ['AGGREGATOR as not transitive', `${BASE} 80 07 08 0000fde9 0a000009`, { withdraws: 7 }],
  ['COMMUNITIES', `${BASE} c0 08 04 ffffff01`, keeps('c0 08 04 ffffff01')],
  ['COMMUNITIES of five bytes', `${BASE} c0 08 05 ffffff0100`, { withdraws: 8 }],
  ['no COMMUNITIES in it', `${BASE} c0 08 00`, { withdraws: 8 }],
  ['ORIGINATOR_ID from outside', `${BASE} 80 09 04 0a000001`, keeps('', [9])],
  ['ORIGINATOR_ID of three bytes from inside', `${BASE} 80 09 03 0a0000`, { withdraws: 9 }, INTERNAL],
  ['CLUSTER_LIST from outside', `${BASE} 80 0a 04 0a000001`, keeps('', [10])],
  ['CLUSTER_LIST from inside', `${BASE} 80 0a 04 0a000001`, keeps('80 0a 04 0a000001'), INTERNAL],
  ['CLUSTER_LIST of six bytes from inside', `${BASE} 80 0a 06 0a0000010a00`, { withdraws: 10 }, INTERNAL],
  ['extended communities of seven bytes', `${BASE} c0 10 07 0002fde9000000`, { withdraws: 16 }],
  ['large communities', `${BASE} c0 20 0c 0000fde90000000100000002`, keeps('c0 20 0c 0000fde90000000100000002')],
  ['large communities of eleven bytes', `${BASE} c0 20 0b 0000fde900000001000000`, { withdraws: 32 }],
  ['AS4_PATH from a peer with four-octet numbers', `${BASE} c0 11 06 02 01 0000fde9`, keeps()],
  ['an unknown attribute that goes on', `${BASE} c0 63 02 abcd`, keeps('e0 63 02 abcd')],
  ['an unknown attribute that ends here', `${BASE} 80 63 02 abcd`, keeps()],
  ['an unknown attribute that all should know', `${BASE} 40 63 02 abcd`, { withdraws: 99 }],
  ['the same attribute twice: the first counts', `${BASE} 80 04 04 00000007 80 04 04 00000008`, keeps('80 04 04 00000007', [4])],
  ['a long header for a short value', `${BASE} 90 04 0004 00000007`, keeps('90 04 0004 00000007')],
  ['an attribute that is longer than the list', `${BASE} 80 04 20 00000007`, { withdraws: 4 }],
  ['a list that ends within a header', `${BASE} 80 04`, { withdraws: 4 }],
  ['a list that ends behind the flags', `${BASE} 80`, { withdraws: 0 }],
  ['MP_REACH_NLRI twice', `${BASE} ${REACH6} ${REACH6}`, { ends: [3, 1] }],
  ['MP_UNREACH_NLRI twice', `${BASE} ${UNREACH6} ${UNREACH6}`, { ends: [3, 1] }],
  ['MP_REACH_NLRI with a next hop of five bytes', `${BASE} 80 0e 0e 0002 01 05 2001000001 00 20 20010db8`, { ends: [3, 9] }],
  ['MP_REACH_NLRI that is too short', `${BASE} 80 0e 03 0002 01`, { ends: [3, 9] }],
  ['MP_REACH_NLRI whose next hop is longer than it', `${BASE} 80 0e 05 0002 01 ff 00`, { ends: [3, 9] }],
  [
    'MP_REACH_NLRI with a prefix of 129 bits',
    `${BASE} 80 0e 26 0002 01 10 20010db8000000000000000000000001 00 81 ${'00'.repeat(16)}`,
    { ends: [3, 10] },
  ],
  ['MP_REACH_NLRI of a family that nobody asked for', `${BASE} 80 0e 08 0019 41 00 00 00 00 00`, keeps()],
  ['MP_UNREACH_NLRI that is too short', `${BASE} 80 0f 02 0002`, { ends: [3, 9] }],
];

describe('parseUpdate', () => {
  it.each(CASES.map(([what, attributes, expected, negotiated = EXTERNAL]) => ({ what, attributes, expected, negotiated })))(
    '$what',
    ({ attributes, expected, negotiated }) => {
      expect(outcome(attributes, negotiated)).toEqual(expected);
    },
  );

  it.each([
    ['a prefix of 33 bits', '21 c000020180'],
    ['a prefix that is cut short', '18 c000'],
  ])('%s ends the session', (_, prefix) => {
    expect(outcome(BASE, EXTERNAL, prefix)).toEqual({ ends: [3, 10] });
    expect(() => parseUpdate(body(prefix, '', ''), EXTERNAL)).toThrow(expect.objectContaining({ code: 3, subcode: 10 }));
  });

  it.each([
    ['withdrawn routes', '0009 18c00002 0000'],
    ['path attributes', '0000 0009 40010100'],
    ['nothing but half a length', '00'],
  ])('lengths that contradict each other end the session: %s', (_, message) => {
    expect(() => parseUpdate(Uint8Array.from(bytes(message)), EXTERNAL)).toThrow(expect.objectContaining({ code: 3, subcode: 1 }));
  });

  it('ends the session where routes should be withdrawn and none can be seen: they may be hidden', () => {
    for (const [attributes, subcode] of [
      ['40 01 01 07', 6],
      [`${BASE} 80 04 20 00`, 1],
      ['c0 01 01 00', 4],
      ['40 63 00', 2],
    ] as const)
      expect(() => parseUpdate(body('', attributes, ''), EXTERNAL)).toThrow(expect.objectContaining({ code: 3, subcode }));
  });

  it('reads prefixes of both families and withdrawals in one message', () => {
    const { reach, withdrawn, attributes } = parseUpdate(body('08 0a', `${BASE} ${REACH6}`, PREFIX), EXTERNAL);
    expect(reach.map((each) => [each.family, hex(each.bytes), hex(each.nextHop)])).toEqual([
      ['ipv4', `18${NLRI}`, '0a000001'],
      ['ipv6', '2020010db8', '20010db8000000000000000000000001'],
    ]);
    expect(withdrawn.map((each) => [each.family, hex(each.bytes)])).toEqual([['ipv4', '080a']]);
    expect(hex(attributes)).toBe(KEPT);
    const gone = parseUpdate(body('', UNREACH6, ''), EXTERNAL);
    expect(gone.withdrawn.map((each) => [each.family, hex(each.bytes)])).toEqual([['ipv6', '2020010db8']]);
  });

  it('withdraws prefixes of RFC 4760 whose attribute has wrong flags with the others', () => {
    for (const wrong of [`c0${REACH6.slice(2)}`, `c0${UNREACH6.slice(2)}`]) {
      const { reach, withdrawn } = parseUpdate(body('', `${BASE} ${wrong}`, PREFIX), EXTERNAL);
      expect([reach.length, withdrawn.map((each) => hex(each.bytes)).sort()]).toEqual([0, ['18c00002', '2020010db8']]);
    }
  });

  it('passes over a NEXT_HOP that no prefix is for, RFC 4760', () => {
    const { reach, faults } = parseUpdate(body('', `${ORIGIN} ${AS_PATH} 40 03 04 00000000 ${REACH6}`, ''), EXTERNAL);
    expect([reach.map((each) => each.family), faults]).toEqual([['ipv6'], []]);
  });

  it.each([
    ['the attribute', '80 04 03 000007', 5, '800403000007'],
    ['a well-known one that is not known', '40 63 01 00', 2, '40630100'],
    ['what is left of the list', '80 04 20 00', 1, '80042000'],
    ['one of RFC 4760 whole', '80 0f 02 0002', 9, '800f020002'],
  ])('shows %s in the NOTIFICATION', (_, attributes, subcode, data) => {
    let thrown: unknown;
    try {
      parseUpdate(body('', attributes, ''), EXTERNAL);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 3, subcode });
    expect(hex((thrown as BgpError).data)).toBe(data);
  });

  it('takes an IPv6 next hop for IPv4 routes from those it was agreed with, RFC 8950', () => {
    const reach = '80 0e 19 0001 01 10 20010db8000000000000000000000001 00 18 c00002';
    const withIt = parseUpdate(body('', `${ORIGIN} ${AS_PATH} ${reach}`, ''), { ...EXTERNAL, extendedNextHop: true });
    expect(withIt.reach.map((each) => [each.family, each.nextHop.length])).toEqual([['ipv4', 16]]);
    expect(outcome(`${BASE} ${reach}`, EXTERNAL)).toEqual({ ends: [3, 9] });
  });

  it('reads path identifiers, RFC 7911', () => {
    const negotiated = { ...EXTERNAL, addPath: { ...EXTERNAL.addPath, ipv4: { receive: true, send: false } } };
    const { reach } = parseUpdate(body('', BASE, `00000001 ${PREFIX}`), negotiated);
    expect(reach.map((each) => [each.addPath, hex(each.bytes)])).toEqual([[true, `0000000118${NLRI}`]]);
    expect(() => parseUpdate(body('', BASE, PREFIX), negotiated)).toThrow(expect.objectContaining({ subcode: 10 }));
  });

  it('knows the end of the first listing, RFC 4724', () => {
    expect(parseUpdate(body('', '', ''), EXTERNAL).endOfRib).toBe('ipv4');
    expect(parseUpdate(body('', '80 0f 03 0002 01', ''), EXTERNAL).endOfRib).toBe('ipv6');
    for (const [withdrawn, attributes, nlri] of [
      ['', UNREACH6, ''],
      ['', BASE, PREFIX],
      ['08 0a', '', ''],
      ['', '80 0f 03 0019 41', ''],
    ] as const)
      expect(parseUpdate(body(withdrawn, attributes, nlri), EXTERNAL).endOfRib).toBeUndefined();
  });

  describe('from a peer with two-octet AS numbers', () => {
    const NARROW: Negotiated = { ...EXTERNAL, fourOctetAs: false };
    const path = (...asns: number[]): string =>
      `02 ${asns.length.toString(16).padStart(2, '0')} ${asns.map((asn) => asn.toString(16).padStart(8, '0')).join('')}`;
    const attribute = (flags: string, type: string, value: string): string =>
      `${flags} ${type} ${bytes(value).length.toString(16).padStart(2, '0')} ${value}`;
    const TWO = '02 03 fde9 5ba0 fdea'; // 65001, AS_TRANS, 65002

    it.each([
      ['widens the path', '', '', path(65001, 23456, 65002), ''],
      ['believes AS4_PATH, behind what was put before it', attribute('c0', '11', path(70000, 65002)), '', path(65001, 70000, 65002), ''],
      ['does not believe one that is longer', attribute('c0', '11', path(1, 2, 3, 70000)), '', path(65001, 23456, 65002), ''],
      ['leaves a malformed one out', attribute('c0', '11', '02 05 0001'), '', path(65001, 23456, 65002), ''],
      [
        'takes the aggregator of AS4_AGGREGATOR',
        attribute('c0', '12', '00011170 0a000009'),
        'c0 07 06 5ba0 0a000009',
        path(65001, 23456, 65002),
        'c0 07 08 00011170 0a000009',
      ],
      ['widens an aggregator', '', 'c0 07 06 fde9 0a000009', path(65001, 23456, 65002), 'c0 07 08 0000fde9 0a000009'],
      [
        'believes neither of both when AGGREGATOR has a number of its own',
        `${attribute('c0', '11', path(70000, 65002))} ${attribute('c0', '12', '00011170 0a000009')}`,
        'c0 07 06 fde9 0a000009',
        path(65001, 23456, 65002),
        'c0 07 08 0000fde9 0a000009',
      ],
    ])('%s', (_, as4, aggregator, wide, wideAggregator) => {
      const { attributes, reach } = parseUpdate(
        body('', `${ORIGIN} ${attribute('40', '02', TWO)} ${NEXT_HOP} ${aggregator} ${as4}`, PREFIX),
        NARROW,
      );
      expect(hex(attributes)).toBe(`${ORIGIN}${attribute('40', '02', wide)}${wideAggregator}`.replace(/\s/g, ''));
      expect(reach).toHaveLength(1);
    });
  });

  it('answers whatever comes with an update or an error of its code', () => {
    const corpus = [
      ...CASES.map(([, attributes]) => body('', attributes, PREFIX)),
      body('08 0a', `${BASE} ${REACH6}`, PREFIX),
      body('', '', ''),
    ];
    const mutation = fc.record({
      of: fc.nat({ max: corpus.length - 1 }),
      flips: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
      cut: fc.option(fc.nat()),
      external: fc.boolean(),
      fourOctetAs: fc.boolean(),
    });
    fc.assert(
      fc.property(mutation, ({ of, flips, cut, external, fourOctetAs }) => {
        const message = (corpus[of] as Uint8Array).slice(0, cut === null ? undefined : cut % 100);
        for (const [at, to] of flips) if (message.length > 0) message[at % message.length] = to;
        try {
          const { reach, withdrawn, attributes } = parseUpdate(message, { ...EXTERNAL, external, fourOctetAs });
          expect(reach.length + withdrawn.length).toBeLessThanOrEqual(4);
          expect(attributes.length).toBeLessThanOrEqual(3 * message.length);
        } catch (error) {
          expect(error).toBeInstanceOf(BgpError);
          expect((error as BgpError).code).toBe(3);
        }
      }),
      { numRuns: 10_000 },
    );
  });
});
