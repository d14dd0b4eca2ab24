import { type Clock, LOCAL_SCOPE, type Log, type Random, type Sink, SinkGroup } from '@isthmus/core';
import type { AgentConnections } from './agent-connections.ts';
import type { AgentFacts } from './agent-facts.ts';
import type { PodCidrs } from './node/pod-cidrs.ts';
import { KvRecordSink } from './publish/kv-record-sink.ts';
import { type OwnNodeRow, ownNodeCodec } from './publish/own-node.ts';
import { PodStatusSink } from './publish/pod-status-sink.ts';
import { publishedIpCodec } from './publish/published-ip-codec.ts';
import { declarePodStatuses, declarePublishedIps } from './publish/published-rows.ts';
import { sinkReport } from './sink-report.ts';
import type { AgentTables } from './tables/agent-tables.ts';

/** What the node publishes with. */
export interface PublishingOptions {
  readonly facts: AgentFacts;
  readonly connections: AgentConnections;
  readonly tables: AgentTables;
  readonly podCidrs: PodCidrs;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What the node publishes. */
export interface Publishing {
  readonly group: SinkGroup;
  /** Says anew what the node is: its pod CIDRs may have changed. */
  publishNode(): void;
}

/**
 * Declares the sinks that write to the cluster etcd: the node, its pods' addresses and their status. The node comes before its addresses, and
 * an address before the status that sends clients to it.
 */
export function declarePublishing({ facts, connections, tables, podCidrs, clock, random, log }: PublishingOptions): Publishing {
  const { store } = tables;
  const endpoints = tables.sources.endpoints.table;
  const node = store.table<OwnNodeRow>('own-node');
  const publishNode = (): void =>
    node.put(facts.node, {
      cluster: facts.cluster,
      clusterId: facts.clusterId,
      name: facts.node,
      internal: { ipv4: facts.underlay.ipv4, ipv6: facts.underlay.ipv6 },
      podHost: podCidrs.gateway(),
      podCidrs: podCidrs.all,
      bootId: facts.bootId,
    });
  publishNode();
  node.synced(LOCAL_SCOPE);
  node.scopesKnown();
  const group = new SinkGroup(store, clock, random, () => new Promise((resolve) => setImmediate(resolve)), sinkReport(log));
  const nodeSink = group.add({
    name: 'own-node',
    table: node.table,
    target: new KvRecordSink(connections.clusterKv, ownNodeCodec(facts.cluster)),
  });
  const ips = group.add({
    name: 'published-ips',
    table: declarePublishedIps(store, endpoints, facts.hostIp),
    target: new KvRecordSink(connections.clusterKv, publishedIpCodec(facts, facts.hostIp)),
    after: [nodeSink] as Sink<unknown>[],
  });
  group.add({
    name: 'pod-statuses',
    table: declarePodStatuses(store, endpoints, facts.hostIp),
    target: new PodStatusSink(connections.resources, facts.hostIp),
    after: [ips] as Sink<unknown>[],
  });
  return { group, publishNode };
}
