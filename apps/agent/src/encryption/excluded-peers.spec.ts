import { CONFIG_INVALID } from '@isthmus/model';
import { excludedPeers } from './excluded-peers.ts';

const excluded = (peers: string[], strict = true) => {
  return excludedPeers({ 'wireguard-exclude-peers': peers, 'encryption-strict-mode': strict });
};

it('are clusters, and single nodes', () => {
  const isExcluded = excluded(['cilium', 'west/n1']);
  expect(['cilium/n1', 'west/n1', 'west/n10', 'west/n2', 'cilium2/n1', 'east/cilium'].filter(isExcluded)).toEqual(['cilium/n1', 'west/n1']);
});

it.each(['Cilium', 'west/', '/n1', 'a/b/c', '-a'])('are not called %s', (name) => {
  expect(() => excluded([name])).toThrow(expect.objectContaining({ code: CONFIG_INVALID.code, object: 'wireguard-exclude-peers' }));
});

it('would be sent to as it is where that may be', () => {
  expect(() => excluded(['cilium'], false)).toThrow('needs encryption-strict-mode');
  expect(excluded([], false)('cilium/n1')).toBe(false);
});
