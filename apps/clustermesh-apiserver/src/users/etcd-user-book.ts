import { clientNames } from '@isthmus/crypto';
import type { KvAuth } from '@isthmus/kvstore';
import type { EtcdUsers } from '../join/ports.ts';
import { ensureRole, ensureUser } from './ensure-users.ts';
import { clusterRoles, meshRoles, ROOT_ROLE } from './etcd-roles.ts';

/** What an {@link EtcdUserBook} works with. */
export interface EtcdUserBookOptions {
  cluster: string;
  /** The mesh etcd, as `admin-<cluster>`. */
  mesh: KvAuth;
  /** The cluster etcd, as `root`. */
  clusterEtcd: KvAuth;
  /** Whose Secrets agents and the operator may read. */
  bgpSecretsNamespace: string;
}

/** Users and roles of the cluster's two etcds. Every method states how things should be, and may be called again. */
export class EtcdUserBook implements EtcdUsers {
  readonly #options: EtcdUserBookOptions;

  constructor(options: EtcdUserBookOptions) {
    this.#options = options;
  }

  /**
   * Makes the users of the mesh etcd, also those of the connected clusters, and has it check them from then on. Until then it obeys anybody
   * with a certificate.
   */
  async setUpMesh(remotes: readonly string[]): Promise<void> {
    const { mesh, cluster } = this.#options;
    await ensureRoot(mesh);
    await ensureUser(mesh, clientNames.admin(cluster), [ROOT_ROLE]);
    await ensureRole(mesh, meshRoles.local());
    await ensureRole(mesh, meshRoles.remote(cluster));
    await ensureUser(mesh, clientNames.local(cluster), ['local']);
    for (const remote of remotes) await this.ensureRemoteUser(remote);
    await mesh.enable();
  }

  /**
   * The same for the cluster etcd. Its agents' users are made when their nodes join.
   * @param nodes those that are known: an etcd that was wiped has lost their users, too
   */
  async setUpClusterEtcd(nodes: readonly string[] = []): Promise<void> {
    const { clusterEtcd: auth, cluster, bgpSecretsNamespace: secrets } = this.#options;
    await ensureRoot(auth);
    const roles = [
      clusterRoles.admin(),
      clusterRoles.operator(secrets),
      clusterRoles.apiserver(cluster),
      clusterRoles.agent(cluster, secrets),
    ];
    for (const role of roles) await ensureRole(auth, role);
    await ensureUser(auth, clientNames.admin(cluster), ['admin']);
    await ensureUser(auth, clientNames.operator, ['operator']);
    await ensureUser(auth, clientNames.apiserver, ['apiserver']);
    for (const node of nodes) await this.ensureAgentUser(node);
    await auth.enable();
  }

  async ensureRemoteUser(cluster: string): Promise<void> {
    await ensureUser(this.#options.mesh, clientNames.remote(cluster), ['remote']);
  }

  async ensureAgentUser(node: string): Promise<void> {
    const { clusterEtcd: auth, cluster } = this.#options;
    const own = clusterRoles.node(cluster, node);
    await ensureRole(auth, own);
    await ensureUser(auth, clientNames.agent(node), ['agent', own.name]);
  }

  async hasAgentUser(node: string): Promise<boolean> {
    return (await this.#options.clusterEtcd.userRoles(clientNames.agent(node))) !== undefined;
  }

  async remove(user: string): Promise<void> {
    const { mesh, clusterEtcd } = this.#options;
    if (user.startsWith(clientNames.remote(''))) return await mesh.removeUser(user);
    await clusterEtcd.removeUser(user);
    if (user.startsWith(clientNames.agent(''))) await clusterEtcd.removeRole(user);
  }
}

async function ensureRoot(auth: KvAuth): Promise<void> {
  await auth.addRole(ROOT_ROLE); // what it may do is built in
  await ensureUser(auth, clientNames.root, [ROOT_ROLE]);
}
