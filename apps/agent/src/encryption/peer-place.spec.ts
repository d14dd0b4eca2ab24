import type { NodeRow } from '@isthmus/model';
import { placeOfNode } from './peer-place.ts';

const node: NodeRow = {
  cluster: 'west',
  clusterId: 2,
  name: 'n1',
  internalIps: ['192.0.2.7', '2001:db8::7'],
  hostIps: ['192.0.2.7', '10.2.0.1', '2001:db8::7'],
  podCidrs: ['10.2.0.0/24', 'fd10:2::/120'],
  encryptionKey: 255,
  wireguardPublicKey: '',
};

it('takes from a node what is its own, and nothing else', () => {
  expect(placeOfNode(node, 4)).toEqual({
    address: '192.0.2.7',
    allowedIps: ['10.2.0.0/24', '10.2.0.1/32', '192.0.2.7/32', '2001:db8::7/128', 'fd10:2::/120'],
  });
  expect(placeOfNode(node, 6)?.address).toBe('2001:db8::7');
});

it('has no place for a node without an address of the family', () => {
  expect(placeOfNode({ ...node, internalIps: ['192.0.2.7'] }, 6)).toBeUndefined();
});
