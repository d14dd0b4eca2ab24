import { CodedError, messageOf } from '@isthmus/core';
import type { RemoteStatus } from '@isthmus/crypto';
import type { CertificateReport, RemoteCertificates } from '../certificates/certificate-report.ts';
import type { RemoteStatusSource } from '../join/ports.ts';
import type { MirrorStatus, RemoteMirrors } from '../mirror/remote-mirrors.ts';

/** The mirrors as the join API shows them. */
export class MirrorStatuses implements RemoteStatusSource {
  readonly #mirrors: RemoteMirrors;
  readonly #certificates: Pick<CertificateReport, 'ofRemote'>;

  constructor(mirrors: RemoteMirrors, certificates: Pick<CertificateReport, 'ofRemote'>) {
    this.#mirrors = mirrors;
    this.#certificates = certificates;
  }

  async list(): Promise<readonly RemoteStatus[]> {
    const statuses = this.#mirrors.statuses();
    return await Promise.all(statuses.map(async (status) => statusOf(status, await this.#certificates.ofRemote(status.name))));
  }
}

function statusOf({ name, remote, problem }: MirrorStatus, certificates: RemoteCertificates): RemoteStatus {
  if (!remote) return { name, ready: false, state: 'unusable', ...wrong(problem), ...certificates };
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
    ...certificates,
  };
}

function wrong(problem: unknown): Pick<RemoteStatus, 'error' | 'problem'> {
  if (problem === undefined) return {};
  return { error: messageOf(problem), ...(problem instanceof CodedError && { problem: problem.toJSON() }) };
}
