import fc from 'fast-check';
import { compareBytes, type GoValue, goJson } from './go-json.ts';

it('escapes what Go escapes', () => {
  expect(goJson('<a href="x">&\u2028\u2029\u0000\u007f\\')).toBe('"\\u003ca href=\\"x\\"\\u003e\\u0026\\u2028\\u2029\\u0000\u007f\\\\"');
});

it('sorts maps, keeps structs, leaves out what is undefined', () => {
  expect(
    goJson({
      b: 1,
      a: undefined,
      c: new Map<string, GoValue>([
        ['10', 1],
        ['2', null],
        ['', true],
      ]),
    }),
  ).toBe('{"b":1,"c":{"":true,"10":1,"2":null}}');
});

it('writes JSON that means the value', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(fc.property(text, (value) => expect(JSON.parse(goJson(value))).toBe(value.toWellFormed())));
});

it('orders strings as their UTF-8 bytes', () => {
  const text = fc.string({ unit: 'binary', maxLength: 4 });
  fc.assert(
    fc.property(text, text, (a, b) =>
      expect(Math.sign(compareBytes(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))),
    ),
    {
      numRuns: 2000,
    },
  );
});
