import { ENCRYPTION_EXEMPTIONS } from '@isthmus/model';
import { exemptPorts } from './exempt-ports.ts';

it('adds the ports of the control planes, each once, and leaves out what is not there', () => {
  const added = exemptPorts({
    'cluster etcd': ['https://192.0.2.1:2379', 'https://[2001:db8::1]:2379', 'https://192.0.2.2:12379'],
    'mesh etcd': [],
    'join API': ['192.0.2.1:4280'],
  }).slice(ENCRYPTION_EXEMPTIONS.length);
  expect(added).toEqual([
    { protocol: 'TCP', ports: [2379, 12379], purpose: 'cluster etcd' },
    { protocol: 'TCP', ports: [4280], purpose: 'join API' },
  ]);
});
