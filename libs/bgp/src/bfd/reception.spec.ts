import fc from 'fast-check';
import { type ControlPacket, decodeControlPacket, encodeControlPacket, PACKET_LENGTH } from './control-packet.ts';
import { readControlPacket } from './reception.ts';

/** Version 1, Down, multiplier 3, 24 bytes, from discriminator 0x0a0b0c0d, to none. */
const GOOD = [0x20, 0x40, 3, 24, 0x0a, 0x0b, 0x0c, 0x0d, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40, 0, 0, 0xc3, 0x50, 0, 0, 0, 0];

const bytes = (change: Record<number, number> = {}, length = PACKET_LENGTH): Uint8Array => {
  const out = new Uint8Array(Math.max(length, 0));
  out.set(GOOD.slice(0, length));
  for (const [at, value] of Object.entries(change)) out[Number(at)] = value;
  return out;
};

it('reads every field', () => {
  expect(decodeControlPacket(bytes({ 0: 0x21, 1: 0xfb, 8: 1, 23: 9 }))).toEqual<ControlPacket>({
    version: 1,
    diagnostic: 1,
    state: 'up',
    poll: true,
    final: true,
    independent: true,
    authenticated: false,
    demand: true,
    multipoint: true,
    multiplier: 3,
    length: 24,
    myDiscriminator: 0x0a0b0c0d,
    yourDiscriminator: 0x01000000,
    desiredMinTx: 1_000_000,
    requiredMinRx: 50_000,
    requiredMinEchoRx: 9,
  });
});

it('reads back what it wrote', () => {
  const u32 = fc.nat(0xffffffff);
  const packet = fc.record({
    diagnostic: fc.nat(31),
    state: fc.constantFrom('admin-down', 'down', 'init', 'up'),
    poll: fc.boolean(),
    final: fc.boolean(),
    independent: fc.boolean(),
    multiplier: fc.integer({ min: 1, max: 255 }),
    myDiscriminator: u32,
    yourDiscriminator: u32,
    desiredMinTx: u32,
    requiredMinRx: u32,
  });
  fc.assert(
    fc.property(packet, (wanted) => {
      const out = new Uint8Array(PACKET_LENGTH);
      encodeControlPacket(wanted, out);
      expect(decodeControlPacket(out)).toEqual({
        ...wanted,
        version: 1,
        length: 24,
        authenticated: false,
        demand: false,
        multipoint: false,
        requiredMinEchoRx: 0,
      });
    }),
  );
});

/** RFC 5880 §6.8.6, the rules that need no session, in its order. */
const RULES: [string, Uint8Array, string][] = [
  ['the version is not 1', bytes({ 0: 0x40 }), 'version'],
  ['the version is 0', bytes({ 0: 0 }), 'version'],
  ['Length is below 24', bytes({ 3: 23 }), 'length'],
  ['Length is below 26 with the A bit', bytes({ 1: 0x44, 3: 25 }, 26), 'length'],
  ['Length is more than there are bytes', bytes({ 3: 25 }), 'truncated'],
  ['there are fewer than 24 bytes, and Length says more', bytes({}, 20), 'truncated'],
  ['there are fewer than 24 bytes, and Length says so', bytes({ 3: 20 }, 20), 'length'],
  ['there is one byte', bytes({}, 1), 'truncated'],
  ['there is nothing', bytes({}, 0), 'truncated'],
  ['Detect Mult is zero', bytes({ 2: 0 }), 'multiplier'],
  ['the M bit is set', bytes({ 1: 0x41 }), 'multipoint'],
  ['My Discriminator is zero', bytes({ 4: 0, 5: 0, 6: 0, 7: 0 }), 'my-discriminator'],
  ['Your Discriminator is zero in Init', bytes({ 1: 0x80 }), 'your-discriminator'],
  ['Your Discriminator is zero in Up', bytes({ 1: 0xc0 }), 'your-discriminator'],
];

it.each(RULES)('drops a packet of which %s', (_, packet, reason) => {
  expect(readControlPacket(packet)).toBe(reason);
});

it.each([
  ['Down to nobody', bytes()],
  ['AdminDown to nobody', bytes({ 1: 0 })],
  ['Up to somebody', bytes({ 1: 0xc0, 11: 1 })],
  ['longer than its Length', bytes({}, 40)],
  ['authenticated, which is for its session to refuse', bytes({ 1: 0x44, 3: 26 }, 26)],
])('takes a packet that is %s', (_, packet) => {
  expect(typeof readControlPacket(packet)).toBe('object');
});

it('answers to any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (packet) => {
      readControlPacket(packet);
    }),
  );
});
