import { ENCRYPTION_EXEMPTIONS } from '@isthmus/model';
import { exemptPorts } from './exempt-ports.ts';

it('adds the ports of the control plane, each once', () => {
  const cluster = { endpoints: ['https://192.0.2.1:2379', 'https://[2001:db8::1]:2379', 'https://192.0.2.2:12379'] };
  expect(exemptPorts({ cluster, mesh: undefined }, '192.0.2.1:4280').slice(ENCRYPTION_EXEMPTIONS.length)).toEqual([
    { protocol: 'TCP', ports: [2379, 12379], purpose: 'cluster etcd' },
    { protocol: 'TCP', ports: [4280], purpose: 'join API' },
  ]);
});

it('leaves out what is not there', () => {
  expect(exemptPorts({ cluster: { endpoints: [] }, mesh: { endpoints: [] } }, '')).toEqual(ENCRYPTION_EXEMPTIONS);
});
