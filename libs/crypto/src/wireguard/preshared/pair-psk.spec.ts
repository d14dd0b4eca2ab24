import { type PairSecret, pairPsk } from './pair-psk.ts';

const bytes = (value: number, length = 32): Buffer => Buffer.alloc(length, value);
const PAIR: PairSecret = {
  secret: bytes(1),
  epoch: 7,
  lowerKey: bytes(2).toString('base64'),
  higherKey: bytes(3).toString('base64'),
  kemKey: bytes(4, 1184),
  ciphertext: bytes(5, 1088),
};

it('is what HKDF-SHA256 makes of it, worked out with another implementation', () => {
  expect(pairPsk(PAIR).toString('hex')).toBe('2f01a0e3dcd765efdacfb5570047d5dbd542f10a85114612531cd5d5a2746d2d');
});

it.each<[string, Partial<PairSecret>]>([
  ['secret', { secret: bytes(9) }],
  ['epoch', { epoch: 8 }],
  ['key of the lower node', { lowerKey: bytes(9).toString('base64') }],
  ['key of the higher node', { higherKey: bytes(9).toString('base64') }],
  ['KEM key', { kemKey: bytes(9, 1184) }],
  ['ciphertext', { ciphertext: bytes(9, 1088) }],
  ['order of the nodes', { lowerKey: PAIR.higherKey, higherKey: PAIR.lowerKey }],
])('is another one with another %s', (_, other) => {
  expect(pairPsk({ ...PAIR, ...other }).equals(pairPsk(PAIR))).toBe(false);
});
