import fc from 'fast-check';
import { MacAddress, parseMac } from './mac.ts';

it('reads back every address it writes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) =>
      expect(parseMac(new MacAddress(bytes).toString())!.bytes).toEqual(bytes),
    ),
  );
});

it('reads hyphens and capitals', () => {
  expect(String(parseMac('02-AA-0b-00-00-01'))).toBe('02:aa:0b:00:00:01');
});

it.each(['', '02:aa:0b:00:00', '02:aa:0b:00:00:01:02', '02:aa-0b:00:00:01', '2:aa:b:0:0:1', 'gg:aa:0b:00:00:01', '02aa0b000001'])(
  'refuses %j',
  (text) => {
    expect(parseMac(text)).toBeUndefined();
  },
);

it('knows group addresses', () => {
  expect(parseMac('01:00:5e:00:00:01')!.multicast).toBe(true);
  expect(parseMac('02:00:00:00:00:01')!.multicast).toBe(false);
});
