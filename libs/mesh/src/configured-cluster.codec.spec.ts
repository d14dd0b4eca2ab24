import { decodeConfiguredCluster, encodeConfiguredCluster } from './configured-cluster.codec.ts';

const decode = (text: string) => decodeConfiguredCluster(new TextEncoder().encode(text));

it('reads back what it writes', () => {
  expect(encodeConfiguredCluster({ id: 3 })).toBe('{"id":3}');
  expect(decode('{"id":3}')).toEqual({ ok: true, value: { id: 3 } });
  expect(decode('{}')).toEqual({ ok: true, value: { id: 0 } });
});

it.each([
  ['', 'bad-json'],
  ['{"id":512}', 'bad-field'],
  [`{"id":3,"x":"${'x'.repeat(5_000)}"}`, 'too-large'],
])('drops %j as %s', (text, reason) => {
  expect(decode(text)).toEqual({ ok: false, reason });
});
