import { type Clock, CodedError } from '@isthmus/core';
import { type ClusterInfo, TOKEN_EXPIRED } from '@isthmus/crypto';
import type { LocalCluster, OwnProblems, RemoteConfigStore, Signer } from './ports.ts';
import type { Principal } from './principal.ts';

/** What a {@link ClusterInfoService} works with. */
export interface ClusterInfoOptions {
  local: LocalCluster;
  remotes: RemoteConfigStore;
  signer: Signer;
  problems: OwnProblems;
  clock: Clock;
}

/** Says what this cluster is and whom it is connected to. */
export class ClusterInfoService {
  readonly #ports: ClusterInfoOptions;

  constructor(options: ClusterInfoOptions) {
    this.#ports = options;
  }

  /** Anyone with a certificate may know, and whoever holds a token while it lasts. @throws CodedError TOKEN_EXPIRED */
  async describe(caller: Principal): Promise<ClusterInfo> {
    const { local, remotes, signer, clock } = this.#ports;
    if (caller.kind === 'token' && clock.wall() >= caller.expires) {
      throw new CodedError(TOKEN_EXPIRED, `token ${caller.id} expired at ${new Date(caller.expires).toISOString()}`, { object: caller.id });
    }
    const { clusterEtcdEndpoints: _, ...self } = await local.describe();
    const clusters = (await remotes.list()).map(({ name, id, podCIDRs }) => ({ name, id, podCIDRs }));
    const problems = this.#ports.problems().map((problem) => problem.toJSON());
    return { ...self, caBundle: await signer.caBundle(), clusters, ...(problems.length > 0 && { problems }) };
  }
}
