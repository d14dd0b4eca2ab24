import fc from 'fast-check';
import {
  cacheLayout,
  clusterConfigKey,
  HEARTBEAT_KEY,
  identityKey,
  ipKey,
  isthmusClusterKey,
  isthmusClustersCanaryKey,
  isthmusHeartbeatKey,
  nodeKey,
  serviceExportKey,
  serviceKey,
  stateLayout,
  wireGuardKey,
  wireGuardTargetKey,
} from './keys.ts';
import { parseMeshKey } from './mesh-key.ts';
import { RECORD_KINDS } from './record-kind.ts';

it.each([
  [nodeKey('cluster3', 'worker-1'), 'cilium/state/nodes/v1/cluster3/worker-1'],
  [identityKey(196915), 'cilium/state/identities/v1/id/196915'],
  [ipKey('10.244.1.79'), 'cilium/state/ip/v1/default/10.244.1.79'],
  [serviceKey('cluster3', 'default', 'echo'), 'cilium/state/services/v1/cluster3/default/echo'],
  [serviceExportKey('cluster3', 'default', 'echo'), 'cilium/state/serviceexports/v1/cluster3/default/echo'],
  [wireGuardKey('cluster3', 'worker-1'), 'cilium/state/isthmus/wireguard/v1/cluster3/worker-1'],
  [wireGuardTargetKey('cluster3'), 'cilium/state/isthmus/wireguard-target/v1/cluster3/target'],
  [clusterConfigKey('cluster3'), 'cilium/cluster-config/cluster3'],
  [isthmusClusterKey('cluster3'), 'cilium/cache/isthmus/clusters/v1/cluster3'],
  [isthmusClustersCanaryKey('cluster1'), 'cilium/synced/cluster1/cilium/cache/isthmus/clusters/v1'],
])('%s', (key, expected) => {
  expect(key).toBe(expected);
});

it('lays the cache out with the cluster in every key', () => {
  expect(RECORD_KINDS.map((kind) => cacheLayout(kind, 'c').prefix)).toEqual([
    'cilium/cache/nodes/v1/c/',
    'cilium/cache/identities/v1/c/id/',
    'cilium/cache/ip/v1/c/',
    'cilium/cache/services/v1/c/',
    'cilium/cache/serviceexports/v1/c/',
    'cilium/cache/isthmus/wireguard/v1/c/',
    'cilium/cache/isthmus/wireguard-target/v1/c/',
  ]);
});

it('names canaries by the prefix without cluster, id and address space', () => {
  expect(RECORD_KINDS.map((kind) => stateLayout(kind, 'c').canary)).toEqual([
    'cilium/synced/c/cilium/state/nodes/v1',
    'cilium/synced/c/cilium/state/identities/v1',
    'cilium/synced/c/cilium/state/ip/v1',
    'cilium/synced/c/cilium/state/services/v1',
    'cilium/synced/c/cilium/state/serviceexports/v1',
    'cilium/synced/c/cilium/state/isthmus/wireguard/v1',
    'cilium/synced/c/cilium/state/isthmus/wireguard-target/v1',
  ]);
  expect(cacheLayout('ips', 'c').canary).toBe('cilium/synced/c/cilium/cache/ip/v1');
});

describe('parseMeshKey', () => {
  it('finds the record in every key that a layout makes', () => {
    for (const kind of RECORD_KINDS) {
      const named = kind !== 'identities' && kind !== 'ips';
      const state = parseMeshKey(`${stateLayout(kind, 'c').prefix}a/b`);
      expect(state).toEqual({ type: 'record', space: 'state', kind, cluster: named ? 'c' : undefined, name: 'a/b' });
      expect(parseMeshKey(`${cacheLayout(kind, 'c').prefix}a/b`)).toEqual({
        type: 'record',
        space: 'cache',
        kind,
        cluster: 'c',
        name: 'a/b',
      });
    }
  });

  it('knows the others', () => {
    expect(parseMeshKey(HEARTBEAT_KEY)).toEqual({ type: 'heartbeat' });
    expect(parseMeshKey(clusterConfigKey('c'))).toEqual({ type: 'cluster-config', cluster: 'c' });
    expect(parseMeshKey(isthmusClusterKey('c'))).toEqual({ type: 'isthmus-cluster', cluster: 'c' });
    expect(parseMeshKey(isthmusHeartbeatKey('c'))).toEqual({ type: 'isthmus-heartbeat', cluster: 'c' });
    expect(parseMeshKey(stateLayout('ips', 'c').canary)).toEqual({ type: 'canary', cluster: 'c', prefix: 'cilium/state/ip/v1' });
  });

  it.each([
    '',
    'cilium',
    'cilium/state',
    'cilium/state/nodes/v1',
    'cilium/state/nodes/v1/c',
    'cilium/state/nodes/v1/c/',
    'cilium/state/nodes/v2/c/n',
    'cilium/state/constructor/v1/c/n',
    'cilium/state/isthmus/v1/c/n',
    'cilium/state/isthmus/wireguard/v2/c/n',
    'cilium/state/isthmus/wireguard/v1/c',
    'cilium/state/wireguard/v1/c/n',
    'cilium/state/identities/v1/value/x',
    'cilium/state/ip/v1/other/10.0.0.1',
    'cilium/cluster-config/',
    'cilium/synced/c',
    '/cilium/state/nodes/v1/c/n',
  ])('refuses %j', (key) => {
    expect(parseMeshKey(key)).toBeUndefined();
  });

  it('never throws', () => {
    const part = fc.constantFrom(
      'cilium',
      'state',
      'cache',
      'synced',
      'ip',
      'nodes',
      'identities',
      'v1',
      'id',
      'default',
      'isthmus',
      'wireguard',
      '__proto__',
      '',
    );
    fc.assert(fc.property(fc.array(part), (parts) => void parseMeshKey(parts.join('/'))));
  });
});
