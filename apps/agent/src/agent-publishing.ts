import { type Clock, LOCAL_SCOPE, type Log, type Random, type Sink, SinkGroup } from '@isthmus/core';
import type { AgentConnections } from './agent-connections.ts';
import type { AgentFacts } from './agent-facts.ts';
import type { PodCidrs } from './node/pod-cidrs.ts';
import { KvRecordSink } from './publish/kv-record-sink.ts';
import { type OwnNodeRow, ownNodeCodec } from './publish/own-node.ts';
import { declareOwnWireGuard, type PublishWireGuard } from './publish/own-wireguard.ts';
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
  /** The node encrypts by WireGuard. Without it, it does not, and says so. */
  readonly encryption?: PublishedEncryption;
}

/** What others are told who know of no epochs. */
export interface PublishedEncryption {
  /** The node's public key, base64; undefined: it has none yet. Asked for whenever the node is published. */
  publicKey(): string | undefined;
  /** The node's own packets are in the clear, where others' are encrypted. */
  readonly isOptedOut: boolean;
}

/** What the node publishes. */
export interface Publishing {
  readonly group: SinkGroup;
  /** Says anew what the node is: its pod CIDRs, or its key, may have changed. */
  publishNode(): void;
  /** Says what the node's WireGuard keys are. Only where it encrypts. */
  readonly publishWireGuard: PublishWireGuard;
}

/**
 * Declares the sinks that write to the cluster etcd: the node, its WireGuard keys, its pods' addresses and their status. The node comes before
 * its keys and its addresses, and an address before the status that sends clients to it.
 */
export function declarePublishing(options: PublishingOptions): Publishing {
  const { facts, connections, tables, clock, random, log, encryption } = options;
  const { store } = tables;
  const endpoints = tables.sources.endpoints.table;
  const node = store.table<OwnNodeRow>('own-node');
  const publishNode = (): void => node.put(facts.node, ownNodeRow(options));
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
    target: new KvRecordSink(connections.clusterKv, publishedIpCodec(facts, facts.hostIp, encryption !== undefined)),
    after: [nodeSink] as Sink<unknown>[],
  });
  group.add({
    name: 'pod-statuses',
    table: declarePodStatuses(store, endpoints, facts.hostIp),
    target: new PodStatusSink(connections.resources, facts.hostIp),
    after: [ips] as Sink<unknown>[],
  });
  const { cluster, node: name } = facts;
  const keys = { store, group, kv: connections.clusterKv, cluster, node: name, encrypts: encryption !== undefined };
  const publishWireGuard = declareOwnWireGuard({ ...keys, after: [nodeSink] as Sink<unknown>[] });
  return { group, publishNode, publishWireGuard };
}

function ownNodeRow({ facts, podCidrs, encryption }: PublishingOptions): OwnNodeRow {
  const publicKey = encryption?.publicKey();
  return {
    cluster: facts.cluster,
    clusterId: facts.clusterId,
    name: facts.node,
    internal: { ipv4: facts.underlay.ipv4, ipv6: facts.underlay.ipv6 },
    podHost: podCidrs.gateway(),
    podCidrs: podCidrs.all,
    bootId: facts.bootId,
    ...(publicKey !== undefined && { encryption: { publicKey, isOptedOut: encryption?.isOptedOut ?? false } }),
  };
}
