import { decodeConfiguredCluster, encodeConfiguredCluster } from './configured-cluster.codec.ts';

const decode = (text: string) => decodeConfiguredCluster(new TextEncoder().encode(text));

it('reads back what it writes', () => {
  const trusted = { id: 3, caBundle: '-----BEGIN' };
  expect(encodeConfiguredCluster(trusted)).toBe('{"id":3,"caBundle":"-----BEGIN"}');
  expect(decode(encodeConfiguredCluster(trusted))).toEqual({ ok: true, value: trusted });
  expect(encodeConfiguredCluster({ id: 3, caBundle: '' })).toBe('{"id":3}');
  expect(decode('{"id":3}')).toEqual({ ok: true, value: { id: 3, caBundle: '' } });
  expect(decode('{}')).toEqual({ ok: true, value: { id: 0, caBundle: '' } });
});

it.each([
  ['', 'bad-json'],
  ['{"id":512}', 'bad-field'],
  ['{"id":3,"caBundle":[]}', 'bad-field'],
  [`{"id":3,"x":"${'x'.repeat(70_000)}"}`, 'too-large'],
])('drops %j as %s', (text, reason) => {
  expect(decode(text)).toEqual({ ok: false, reason });
});
