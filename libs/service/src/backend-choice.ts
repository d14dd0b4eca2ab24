import type { ServiceAffinity } from '@isthmus/model';

/** Backends by key, each with the id of its cluster. */
export type Candidates = ReadonlyMap<string, number>;

/** Everything that could serve one frontend. */
export interface Pools {
  readonly local: Candidates;
  /** Empty for a service that is not global. */
  readonly remote: Candidates;
  /** Local ones that go away. */
  readonly terminating: Candidates;
}

/** Who serves new connections, and who else exists. */
export interface Choice {
  readonly chosen: Candidates;
  readonly idle: readonly string[];
}

/**
 * Picks the backends of new connections (ClusterMesh affinity). `local` means local ones as long as there is one, `remote` the mirror
 * image, `none` all of them. Terminating ones serve only when nobody else does. An address that both a local and a remote cluster claim is
 * the local one's.
 */
export function chooseBackends(affinity: ServiceAffinity, pools: Pools): Choice {
  const { terminating } = pools;
  const preferred = prefer(affinity, pools);
  const chosen = preferred.size === 0 ? terminating : preferred;
  const all = new Set([...pools.local.keys(), ...pools.remote.keys(), ...terminating.keys()]);
  return { chosen, idle: [...all].filter((key) => !chosen.has(key)).sort() };
}

function prefer(affinity: ServiceAffinity, { local, remote }: Pools): Candidates {
  if (affinity === 'none') return new Map([...remote, ...local]);
  const [first, second] = affinity === 'local' ? [local, remote] : [remote, local];
  return first.size > 0 ? first : second;
}
