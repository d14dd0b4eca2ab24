import fc from 'fast-check';
import {
  attribute,
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  inside,
  nested,
  textOf,
  u16beAttribute,
  u32Attribute,
  u32Of,
} from './message.ts';

const bytes = fc.uint8Array({ maxLength: 70 }).map((a) => Buffer.from(a));

test('messages come back as they were written, several to a datagram', () => {
  const message = fc.record({ type: fc.nat(0xffff), flags: fc.nat(0xffff), seq: fc.nat(0xffffffff), payload: bytes });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
      expect(decodeMessages(Buffer.concat(messages.map(encodeMessage)))).toEqual(messages);
    }),
  );
});

test('attributes come back by type, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(0x3fff), bytes), { maxLength: 8 }), (list) => {
      const found = decodeAttributes(Buffer.concat(list.map(([type, value]) => attribute(type, value))));
      for (const [type] of list) expect(found.get(type)).toEqual(list.filter(([t]) => t === type).map(([, value]) => value));
    }),
  );
});

test('attributes are laid out as the kernel reads them', () => {
  expect(attribute(3, 'lo').toString('hex')).toBe('070003006c6f0000');
  expect(u32Attribute(4, 1450).toString('hex')).toBe('08000400aa050000');
  expect(u16beAttribute(15, 8472).toString('hex')).toBe('06000f0021180000');
  expect(nested(18, attribute(1, 'veth')).toString('hex')).toBe('100012800900010076657468' + '00000000');
});

test('nested attributes are found inside, and absent ones are absent', () => {
  const outer = decodeAttributes(nested(18, attribute(1, 'veth'), u32Attribute(2, 7)));
  expect(textOf(inside(outer, 18), 1)).toBe('veth');
  expect(u32Of(inside(outer, 18), 2)).toBe(7);
  expect(textOf(inside(outer, 19), 1)).toBeUndefined();
});

test('lengths that run over the end, or stand still, are refused', () => {
  expect(() => decodeAttributes(Buffer.from('09000100aabbccdd', 'hex'))).toThrow(RangeError);
  expect(() => decodeAttributes(Buffer.from('00000100', 'hex'))).toThrow(RangeError);
  expect(() => decodeMessages(Buffer.alloc(16))).toThrow(RangeError);
  expect(() => decodeMessages(Buffer.from('20000000'.padEnd(32, '0'), 'hex'))).toThrow(RangeError);
});
