import { ManualClock } from '@isthmus/core';
import { KV_PERMISSION, MemoryKvServer, type MemoryKvStore } from '@isthmus/kvstore';
import { identityKey, ipKey, nodeKey, wireGuardKey, wireGuardTargetKey } from '@isthmus/mesh';
import { EtcdUserBook } from './etcd-user-book.ts';

const READ = 'read';
const WRITE = 'write';

describe('EtcdUserBook', () => {
  let mesh: MemoryKvServer;
  let cluster: MemoryKvServer;
  let book: EtcdUserBook;
  beforeEach(async () => {
    const clock = new ManualClock();
    [mesh, cluster] = [new MemoryKvServer({ clock }), new MemoryKvServer({ clock })];
    book = new EtcdUserBook({
      cluster: 'east',
      mesh: mesh.connect({ user: 'admin-east' }).auth,
      clusterEtcd: cluster.connect().auth,
      bgpSecretsNamespace: 'kube-system',
    });
    for (let i = 0; i < 2; i++) {
      await book.setUpMesh(['west']);
      await book.setUpClusterEtcd();
      await book.ensureAgentUser('n1');
    }
  });

  /** What a user may do with a key: `rw`, `r`, `w` or nothing. */
  const rights = async (server: MemoryKvServer, user: string, key: string): Promise<string> => {
    const store = server.connect({ user });
    return `${(await may(store, READ, key)) ? 'r' : ''}${(await may(store, WRITE, key)) ? 'w' : ''}`;
  };
  const may = async (store: MemoryKvStore, access: string, key: string): Promise<boolean> => {
    const call = access === READ ? store.get(key) : store.put(key, '');
    return call.then(
      () => true,
      (error: { code: string }) => {
        expect(error.code).toBe(KV_PERMISSION.code);
        return false;
      },
    );
  };

  it.each([
    ['remote-west', 'cilium/.heartbeat', 'r'],
    ['remote-west', 'cilium/state/nodes/v1/east/n1', 'r'],
    ['remote-west', wireGuardKey('east', 'n1'), 'r'],
    ['remote-west', 'cilium/cluster-config/east', 'r'],
    ['remote-west', 'cilium/cluster-config/west', ''],
    ['remote-west', 'cilium/synced/east/cilium/state/nodes/v1', 'r'],
    ['remote-west', 'cilium/synced/west/cilium/cache/nodes/v1', ''],
    ['remote-west', 'cilium/cache/nodes/v1/west/n1', ''],
    ['remote-north', 'cilium/.heartbeat', ''],
    ['local-east', 'cilium/cache/nodes/v1/west/n1', 'r'],
    ['local-east', 'cilium/cache/isthmus/clusters/v1/west', 'r'],
    ['local-east', 'cilium/cache/isthmus/wireguard/v1/west/n1', 'r'],
    ['local-east', 'cilium/cluster-config/west', 'r'],
    ['local-east', 'cilium/state/nodes/v1/east/n1', ''],
    ['admin-east', 'anything', 'rw'],
  ])('in the mesh etcd lets %s do with %s: %s', async (user, key, expected) => {
    expect(await rights(mesh, user, key)).toBe(expected);
  });

  it.each([
    ['agent-n1', 'isthmus/resources/core/v1/pods/shop/a', 'rw'],
    ['agent-n1', 'isthmus/resources/core/v1/services/shop/a', 'r'],
    ['agent-n1', 'isthmus/resources/core/v1/secrets/shop/a', ''],
    ['agent-n1', 'isthmus/resources/core/v1/secrets/kube-system/a', 'r'],
    ['agent-n1', 'isthmus/resources/core/v1/secrets/kube-system2/a', ''],
    ['agent-n1', 'isthmus/resources/cilium.io/v2/ciliumbgppeerconfigs/tor', 'r'],
    ['agent-n1', 'isthmus/resources/cilium.io/v2/ciliumbgpnodeconfigs/n1', 'rw'],
    ['agent-n1', 'isthmus/resources/cilium.io/v2/ciliumbgpnodeconfigs/n2', 'r'],
    ['agent-n1', 'isthmus/resources/cilium.io/v2/ciliumnodes/n1', 'rw'],
    ['agent-n1', 'isthmus/resources/cilium.io/v2/ciliumnodes/n2', 'r'],
    ['agent-n1', nodeKey('east', 'n1'), 'rw'],
    ['agent-n1', nodeKey('east', 'n10'), 'r'],
    ['agent-n1', wireGuardKey('east', 'n1'), 'rw'],
    ['agent-n1', wireGuardKey('east', 'n10'), 'r'],
    ['agent-n1', wireGuardKey('west', 'n1'), 'r'],
    ['agent-n1', wireGuardTargetKey('east'), 'r'],
    ['agent-n1', ipKey('10.0.0.1'), 'rw'],
    ['agent-n1', identityKey(65_536), 'rw'],
    ['agent-n1', 'isthmus/identities/retired/65536', 'r'],
    ['agent-n1', 'isthmus/leases/operator', ''],
    ['agent-n1', 'isthmus/encryption/history/v1', ''],
    ['agent-n2', 'cilium/state/nodes/v1/east/n1', ''],
    ['apiserver', 'isthmus/encryption/history/v1', 'rw'],
    ['apiserver', 'cilium/state/nodes/v1/east/n1', 'r'],
    ['apiserver', wireGuardKey('east', 'n1'), 'r'],
    ['apiserver', wireGuardTargetKey('east'), 'rw'],
    ['apiserver', wireGuardTargetKey('west'), 'r'],
    ['apiserver', 'isthmus/resources/core/v1/services/shop/a', 'r'],
    ['apiserver', 'isthmus/resources/core/v1/secrets/shop/a', ''],
    ['operator', 'isthmus/leases/operator', 'rw'],
    ['operator', wireGuardKey('east', 'n1'), 'rw'],
    ['operator', wireGuardTargetKey('east'), 'rw'],
    ['operator', 'isthmus/encryption/history/v1', 'rw'],
    ['operator', 'isthmus/identities/retired/65536', 'rw'],
    ['operator', 'isthmus/resources/core/v1/pods/shop/a', 'r'],
    ['operator', 'isthmus/resources/core/v1/services/shop/a', 'rw'],
    ['operator', 'isthmus/resources/cilium.io/v2/ciliumbgpnodeconfigs/n1', 'rw'],
    ['operator', 'isthmus/resources/core/v1/secrets/kube-system/a', 'r'],
    ['operator', 'isthmus/resources/core/v1/secrets/shop/a', ''],
    ['operator', 'isthmus/resources/discovery.k8s.io/v1/endpointslices/shop/a', 'rw'],
    ['admin-east', 'isthmus/resources/core/v1/pods/shop/a', 'rw'],
    ['admin-east', 'isthmus/resources/core/v1/secrets/shop/a', 'rw'],
  ])('in the cluster etcd lets %s do with %s: %s', async (user, key, expected) => {
    expect(await rights(cluster, user, key)).toBe(expected);
  });

  it('removes what a user is and what its role was', async () => {
    expect(await book.hasAgentUser('n1')).toBe(true);
    await book.remove('agent-n1');
    await book.remove('agent-n1');
    await book.remove('remote-west');
    expect(await book.hasAgentUser('n1')).toBe(false);
    expect([...cluster.auth.roles.keys()]).not.toContain('agent-n1');
    expect([...mesh.auth.users.keys()].sort()).toEqual(['admin-east', 'local-east', 'root']);
    expect([...cluster.auth.users.keys()].sort()).toEqual(['admin-east', 'apiserver', 'operator', 'root']);
  });

  it('takes rights back that a role should not have', async () => {
    await mesh.connect().auth.grantPermission('remote', { access: 'readwrite', prefix: 'cilium/state/' });
    await mesh.connect().auth.grantPermission('remote', { access: 'read', prefix: 'cilium/cache/' });
    await book.setUpMesh([]);
    expect(await rights(mesh, 'remote-west', 'cilium/state/nodes/v1/east/n1')).toBe('r');
    expect(await rights(mesh, 'remote-west', 'cilium/cache/nodes/v1/west/n1')).toBe('');
  });
});
