import { CodedError, messageOf } from '@isthmus/core';
import type { RemoteStatus } from '@isthmus/crypto';
import type { RemoteStatusSource } from '../join/ports.ts';
import type { MirrorStatus, RemoteMirrors } from '../mirror/remote-mirrors.ts';

/** The mirrors as the join API shows them. */
export class MirrorStatuses implements RemoteStatusSource {
  readonly #mirrors: RemoteMirrors;

  constructor(mirrors: RemoteMirrors) {
    this.#mirrors = mirrors;
  }

  async list(): Promise<readonly RemoteStatus[]> {
    return this.#mirrors.statuses().map(statusOf);
  }
}

function statusOf({ name, remote, problem }: MirrorStatus): RemoteStatus {
  if (!remote) return { name, ready: false, state: 'unusable', ...wrong(problem) };
  const why = remote.problem ?? problem;
  const { nodes, identities, ips, services } = remote.kinds;
  return {
    name,
    ready: remote.ready,
    state: remote.state,
    ...(remote.config && { id: remote.config.id, config: { ...remote.config } }),
    ...wrong(why),
    heartbeatAgeSeconds: Math.round(remote.heartbeatAgeMs / 1000),
    synced: Object.fromEntries(Object.entries(remote.kinds).map(([kind, { synced }]) => [kind, synced])),
    dropped: remote.dropped.map((each) => ({ ...each })),
    counts: { nodes: nodes.count, identities: identities.count, endpoints: ips.count, services: services.count },
  };
}

function wrong(problem: unknown): Pick<RemoteStatus, 'error' | 'problem'> {
  if (problem === undefined) return {};
  return { error: messageOf(problem), ...(problem instanceof CodedError && { problem: problem.toJSON() }) };
}
