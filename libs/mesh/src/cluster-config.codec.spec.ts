import { GOLDEN } from '../testing/golden.ts';
import { decodeClusterConfig, encodeClusterConfig } from './cluster-config.codec.ts';

const utf8 = new TextEncoder();
const decode = (text: string) => decodeClusterConfig(utf8.encode(text));

it.each(['clusterConfig', 'clusterConfigCached', 'clusterConfigOurs'] as const)('%s is written as it was read', (golden) => {
  const decoded = decode(GOLDEN[golden]);
  expect(decoded.ok && encodeClusterConfig(decoded.value)).toBe(GOLDEN[golden]);
});

it('takes what is absent for the defaults', () => {
  expect(decode('{"id":7}')).toEqual({
    ok: true,
    value: {
      id: 7,
      syncedCanaries: false,
      cached: false,
      maxConnectedClusters: 255,
      serviceExportsEnabled: undefined,
      endpointSlicesExportMode: '',
      tunnelProtocol: '',
      wireguard: false,
    },
  });
});

it('says behind what Cilium knows how nodes encapsulate packets, and keeps what it does not know', () => {
  const text = '{"id":7,"capabilities":{"maxConnectedClusters":255},"isthmus":{"tunnelProtocol":"geneve"}}';
  const decoded = decode(text);
  expect(decoded).toMatchObject({ ok: true, value: { tunnelProtocol: 'geneve' } });
  expect(decoded.ok && encodeClusterConfig(decoded.value)).toBe(text);
  expect(decode('{"id":7,"isthmus":{"tunnelProtocol":"gre","later":1}}')).toMatchObject({ ok: true, value: { tunnelProtocol: 'gre' } });
});

it('accepts and ignores the endpoint-slice mode', () => {
  expect(decode('{"id":7,"capabilities":{"endpointSlicesExportMode":"endpointslices-only"}}')).toMatchObject({ ok: true });
});

it.each([
  ['', 'bad-json'],
  ['null', 'bad-json'],
  ['[]', 'bad-json'],
  ['{"id":"3"}', 'bad-field'],
  ['{"id":3,"capabilities":[]}', 'bad-field'],
  ['{"id":3,"isthmus":"geneve"}', 'bad-field'],
  ['{"id":3,"isthmus":{"tunnelProtocol":1}}', 'bad-field'],
  ['{"id":3,"isthmus":{"wireguard":"on"}}', 'bad-field'],
  ['{"id":3,"capabilities":{"maxConnectedClusters":300}}', 'unknown-value'],
  [`"${'x'.repeat(100_000)}"`, 'too-large'],
])('drops %j as %s', (text, reason) => {
  expect(decode(text)).toEqual({ ok: false, reason });
});
