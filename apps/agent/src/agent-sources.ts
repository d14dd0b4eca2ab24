import { type Clock, LOG, type Logger, type Random } from '@isthmus/core';
import type { IdentityAllocator } from '@isthmus/identity';
import type { RemoteStatus } from '@isthmus/mesh';
import type { Config, EndpointRow } from '@isthmus/model';
import type { AgentConnections } from './agent-connections.ts';
import type { AgentFacts } from './agent-facts.ts';
import type { EndpointService } from './endpoint/endpoint-service.ts';
import { IdentityKeeper } from './endpoint/identity-keeper.ts';
import { readIdentityLabels } from './endpoint/pod-identity.ts';
import { runClusterSource } from './sources/cluster-source.ts';
import { MeshSource, remoteWriters } from './sources/mesh-source.ts';
import { PodLabelSource } from './sources/pod-label-source.ts';
import { type RemoteFailure, RemoteFailures } from './sources/remote-failures.ts';
import { runResourceSource } from './sources/resource-source.ts';
import type { AgentTables } from './tables/agent-tables.ts';

/** What the sources work with. */
export interface AgentSourceOptions {
  readonly config: Config;
  readonly facts: AgentFacts;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly connections: AgentConnections;
  readonly tables: AgentTables;
  readonly endpoints: EndpointService;
  readonly allocator: IdentityAllocator;
  /** The cluster etcd may not hold what this node wrote. */
  readonly onClusterRelist: () => void;
  readonly signal: AbortSignal;
}

/** A remote cluster as it stands, and how often it failed. */
export type RemoteHealth = RemoteStatus & RemoteFailure;

/** Everything that mirrors something outside into a table. */
export interface RunningSources {
  readonly running: readonly Promise<void>[];
  remotes(): RemoteHealth[];
  /** Whether it is known which remote clusters there are. */
  remotesListed(): boolean;
  /** CAs of a remote cluster's certificates, PEM; empty: not known. */
  caBundleOf(cluster: string): string;
}

/** Starts all sources; each runs until the signal aborts. */
export function startSources(options: AgentSourceOptions): RunningSources {
  const { facts, connections, tables, clock, random, log, signal } = options;
  const owner = { cluster: facts.cluster, clusterId: facts.clusterId };
  const onDisconnected = (error: unknown): void => log.debug({ [LOG.error]: error }, 'a source waits for its etcd');
  const labels = new PodLabelSource({
    resources: connections.resources,
    cluster: facts.cluster,
    node: facts.node,
    onChanged: (concerns) => keeper.suspect(concerns),
    onDisconnected,
    onRelist: options.onClusterRelist,
  });
  const keeper = identityKeeper(options, (endpoint) => labels.labelsOf(endpoint));
  const failures = new RemoteFailures(clock);
  const mesh = meshSource(options, failures);
  const running = [
    runClusterSource(
      {
        kv: connections.clusterKv,
        store: tables.store,
        owner,
        maxConnectedClusters: facts.maxConnectedClusters,
        clock,
        random,
        onDropped: (kind, name, reason) =>
          log.warn({ kind, [LOG.key]: name, [LOG.reason]: reason }, 'a record of this cluster was dropped'),
        onDisconnected,
        onRelist: (reason) => {
          log.info({ [LOG.reason]: reason }, 'the cluster etcd is listed again; what this node writes there is checked');
          options.onClusterRelist();
        },
      },
      tables.sources,
      signal,
    ),
    runResourceSource(
      {
        resources: connections.resources,
        store: tables.store,
        owner,
        onInvalid: (kind, key, error) => log.warn({ kind, [LOG.key]: key, [LOG.error]: error }, 'a resource was ignored'),
        onDisconnected,
      },
      tables.sources,
      signal,
    ),
    labels.run(signal),
    keeper.run(signal),
    ...(mesh ? [mesh.run(signal)] : []),
  ];
  const remotes = (): RemoteHealth[] => (mesh?.statuses() ?? []).map((status) => ({ ...status, ...failures.of(status.cluster) }));
  return { running, remotes, remotesListed: () => mesh?.listed ?? true, caBundleOf: (cluster) => mesh?.caBundleOf(cluster) ?? '' };
}

function meshSource(options: AgentSourceOptions, failures: RemoteFailures): MeshSource | undefined {
  const { facts, connections, tables, clock, random, log } = options;
  if (!connections.meshKv) {
    for (const writer of remoteWriters(tables.sources)) writer.scopesKnown();
    return undefined;
  }
  return new MeshSource(
    {
      kv: connections.meshKv,
      endpoints: connections.meshEndpoints,
      store: tables.store,
      own: { ...facts, name: facts.cluster, id: facts.clusterId },
      clock,
      random,
      onTransition: (cluster, from, to) => {
        failures.moved(cluster, to);
        log.info({ [LOG.cluster]: cluster, from, to }, 'remote cluster');
      },
      onDropped: (cluster, kind, name, reason) =>
        log.warn({ [LOG.cluster]: cluster, kind, [LOG.key]: name, [LOG.reason]: reason }, 'a remote record was dropped'),
      onDisconnected: (error) => log.debug({ [LOG.error]: error }, 'the mesh etcd does not answer'),
      onDefect: (error) => log.error({ [LOG.error]: error }, 'defect: a part of the mesh is followed no more'),
    },
    tables.sources,
  );
}

function identityKeeper(
  { facts, connections, tables, endpoints, allocator, clock, random, log }: AgentSourceOptions,
  labelsOf: (endpoint: EndpointRow) => string | undefined,
): IdentityKeeper {
  return new IdentityKeeper({
    store: tables.store,
    endpoints: tables.sources.endpoints.table,
    identities: tables.sources.localIdentities.table,
    allocator,
    service: endpoints,
    labelsOf,
    readLabels: (namespace, pod) => readIdentityLabels(connections.resources, facts.cluster, namespace, pod),
    clock,
    random,
    onError: ({ id }, error) => log.warn({ [LOG.endpoint]: id, [LOG.error]: error }, 'an identity cannot be kept yet'),
  });
}
