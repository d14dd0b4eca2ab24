import fc from 'fast-check';
import { type Capability, decodeCapability } from '../capability/capability.ts';
import { negotiate } from '../capability/negotiated.ts';
import { HEADER_BYTES, MessageFramer } from './framing.ts';
import { encodeNotification, notificationName, parseNotification } from './notification.ts';
import { encodeOpen, type Open, parseOpen } from './open.ts';

const family = fc.constantFrom('ipv4' as const, 'ipv6' as const);
const capability: fc.Arbitrary<Capability> = fc.oneof(
  fc.record({ kind: fc.constant('multiprotocol' as const), family }),
  fc.constantFrom<Capability>(
    { kind: 'route-refresh' },
    { kind: 'extended-next-hop' },
    { kind: 'extended-message' },
    { kind: 'enhanced-route-refresh' },
  ),
  fc.record({
    kind: fc.constant('graceful-restart' as const),
    restarting: fc.boolean(),
    notification: fc.boolean(),
    restartTime: fc.nat(4095),
    families: fc.array(fc.record({ family, forwarding: fc.boolean() }), { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant('long-lived-graceful-restart' as const),
    families: fc.array(fc.record({ family, forwarding: fc.boolean(), seconds: fc.nat(0xffffff) }), { maxLength: 2 }),
  }),
  fc.record({
    kind: fc.constant('add-path' as const),
    families: fc.array(
      fc.record({ family, send: fc.boolean(), receive: fc.boolean() }).filter(({ send, receive }) => send || receive),
      { maxLength: 4 },
    ),
  }),
  fc.record({ kind: fc.constant('unknown' as const), code: fc.integer({ min: 72, max: 255 }), value: fc.uint8Array({ maxLength: 200 }) }),
);
const open: fc.Arbitrary<Open> = fc.record({
  asn: fc.integer({ min: 1, max: 0xffff }),
  holdTime: fc.nat(0xffff),
  routerId: fc.ipV4(),
  capabilities: fc.array(capability, { maxLength: 8 }),
});
const body = (message: Uint8Array): Uint8Array => message.subarray(HEADER_BYTES);

describe('OPEN', () => {
  it('reads what it writes, in the short and in the extended form', () => {
    fc.assert(fc.property(open, (one) => expect(parseOpen(body(encodeOpen(one)))).toEqual(one)));
  });

  it('takes the extended form for what is longer than the short one has room for, RFC 9072', () => {
    const capabilities = [1, 2].map((code) => ({ kind: 'unknown' as const, code: 100 + code, value: new Uint8Array(200).fill(code) }));
    const written = body(encodeOpen({ asn: 1, holdTime: 90, routerId: '10.0.0.1', capabilities }));
    expect([...written.subarray(9, 11)]).toEqual([255, 255]);
    // Any other length before the type means the same; 0 means that there is nothing.
    for (const length of [255, 1, 7]) {
      written[9] = length;
      expect(parseOpen(written).capabilities).toEqual(capabilities);
    }
    written[9] = 0;
    expect(() => parseOpen(written)).toThrow(expect.objectContaining({ code: 2, subcode: 0 }));
  });

  it('refuses to write a capability that its length has no room for', () => {
    const capabilities = [{ kind: 'unknown' as const, code: 99, value: new Uint8Array(256) }];
    expect(() => encodeOpen({ asn: 1, holdTime: 90, routerId: '10.0.0.1', capabilities })).toThrow('capability 99 has 256 bytes');
  });

  it('passes over ADD-PATH tuples that mean nothing, RFC 7911', () => {
    const tuple = (flags: number): number[] => [0, 1, 1, flags];
    const read = (flags: number): Capability => decodeCapability(69, Uint8Array.from(tuple(flags)));
    expect([0, 1, 2, 3, 4, 7].map((flags) => (read(flags) as { families: readonly unknown[] }).families.length)).toEqual([
      0, 1, 1, 1, 0, 0,
    ]);
  });

  it('takes the last of two graceful restart capabilities, RFC 4724', () => {
    const restart = (restartTime: number): Capability => ({
      kind: 'graceful-restart',
      restarting: false,
      notification: false,
      restartTime,
      families: [],
    });
    const peer = { asn: 1, holdTime: 90, routerId: '10.0.0.1', capabilities: [restart(10), restart(20)] };
    expect(negotiate(peer, peer).gracefulRestart?.restartTime).toBe(20);
  });

  it('carries an AS number of four octets in its capability', () => {
    const one: Open = {
      asn: 4_200_000_002,
      holdTime: 90,
      routerId: '10.0.0.1',
      capabilities: [{ kind: 'four-octet-as', asn: 4_200_000_002 }],
    };
    expect(Buffer.from(body(encodeOpen(one))).toString('hex')).toBe('045ba0005a0a00000108020641' + '04fa56ea02');
    expect(parseOpen(body(encodeOpen(one)))).toEqual(one);
  });

  it.each<[string, string, number]>([
    ['version 3', '03fde8005a0a00000100', 1],
    ['an authentication parameter', '04fde8005a0a000001030101aa', 4],
    ['parameters that overrun', '04fde8005a0a0000010302', 0],
    ['a capability that overruns', '04fde8005a0a0000010402020104', 0],
    ['an extended length that overruns', '04fde8005a0a000001ffff0009', 0],
  ])('refuses %s', (_, hex, subcode) => {
    expect(() => parseOpen(Buffer.from(hex, 'hex'))).toThrow(expect.objectContaining({ code: 2, subcode }));
  });
});

describe('framing', () => {
  it('finds the same messages however the stream is cut', () => {
    const messages = fc.array(open.map(encodeOpen), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (sent, sizes) => {
        const stream = Buffer.concat(sent);
        const framer = new MessageFramer();
        const found: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length]!;
          const chunk = Uint8Array.from(stream.subarray(at, at + size));
          framer.push(chunk);
          for (let message = framer.next(); message !== undefined; message = framer.next()) found.push(Buffer.from(message.body));
          chunk.fill(0xee); // The chunk was only lent.
          at += size;
        }
        expect(found).toEqual(sent.map((message) => Buffer.from(body(message))));
      }),
    );
  });

  it.each<[string, string, number]>([
    ['a wrong marker', `fe${'ff'.repeat(15)}001304`, 1],
    ['a length below 19', `${'ff'.repeat(16)}001204`, 2],
    ['a KEEPALIVE of 20 bytes', `${'ff'.repeat(16)}001404`, 2],
    ['an OPEN of 28 bytes', `${'ff'.repeat(16)}001c01`, 2],
    ['an UPDATE of 4097 bytes', `${'ff'.repeat(16)}100102`, 2],
    ['type 0', `${'ff'.repeat(16)}001300`, 3],
    ['type 6', `${'ff'.repeat(16)}001306`, 3],
  ])('refuses %s', (_, hex, subcode) => {
    const framer = new MessageFramer();
    framer.push(Buffer.from(hex, 'hex'));
    expect(() => framer.next()).toThrow(expect.objectContaining({ code: 1, subcode }));
  });
});

describe('NOTIFICATION', () => {
  it('carries a text for operators, cut to 255 bytes at a character', () => {
    expect(parseNotification(body(encodeNotification({ code: 6, subcode: 2, text: 'back soon' })))).toMatchObject({
      code: 6,
      subcode: 2,
      text: 'back soon',
    });
    expect(parseNotification(body(encodeNotification({ code: 6, subcode: 2, text: 'é'.repeat(200) }))).text).toBe('é'.repeat(127));
  });

  it('shows no control characters of a peer, and no text that overruns', () => {
    expect(parseNotification(Buffer.from('0602031b5b41', 'hex')).text).toBe(' [A');
    expect(parseNotification(Buffer.from('06020a4141', 'hex')).text).toBeUndefined();
  });

  it('wraps a Cease in a hard reset', () => {
    const sent = body(encodeNotification({ code: 6, subcode: 2, text: 'gone', inner: 2 }));
    expect(Buffer.from(sent).toString('hex')).toBe(`06090602${'04'}${Buffer.from('gone').toString('hex')}`);
    expect(parseNotification(sent)).toMatchObject({ code: 6, subcode: 9, inner: 2, text: 'gone' });
  });
});

describe('the name of a NOTIFICATION', () => {
  it.each([
    [2, 2, 'OPEN message error, bad peer AS (2/2)'],
    [6, 4, 'cease, administrative reset (6/4)'],
    [7, 1, 'ROUTE-REFRESH message error (7/1)'],
    [8, 0, 'send hold timer expired (8/0)'],
    [99, 3, 'unknown error (99/3)'],
  ])('%d/%d', (code, subcode, name) => {
    expect(notificationName(code, subcode)).toBe(name);
  });
});
