import {
  type Clock,
  delay,
  LOCAL_SCOPE,
  LOG,
  type Log,
  type Random,
  SinkGroup,
  type SinkTarget,
  Store,
  type Table,
  type TableWriter,
} from '@isthmus/core';
import type { KvStore } from '@isthmus/kvstore';
import { KvWireGuardTargets } from '@isthmus/mesh';
import {
  CILIUM_BGP_CLUSTER_CONFIG,
  CILIUM_BGP_NODE_CONFIG,
  CILIUM_BGP_NODE_CONFIG_OVERRIDE,
  CILIUM_BGP_PEER_CONFIG,
  CILIUM_LOAD_BALANCER_IP_POOL,
  CILIUM_NODE,
  CILIUM_POD_IP_POOL,
  followResources,
  POD,
  type Resource,
  type ResourceKind,
  type ResourceStore,
  SECRET,
  SERVICE,
} from '@isthmus/model';
import { BgpNodeConfigTarget } from './bgp/bgp-node-config-target.ts';
import { bgpClusterConfigRow, bgpOverrideRow, bgpPeerConfigRow, bgpSecretRow } from './bgp/bgp-rows.ts';
import { BgpTables } from './bgp/bgp-tables.ts';
import { ClusterIpLedger } from './cluster-ips/cluster-ip-ledger.ts';
import { declareClusterIpRequests } from './cluster-ips/cluster-ip-request.ts';
import { ClusterIpTarget } from './cluster-ips/cluster-ip-target.ts';
import { RotationDuty } from './encryption/rotation-duty.ts';
import { runRotation } from './encryption/rotation-passes.ts';
import { IdentityGc } from './gc/identity-gc.ts';
import { NodeGc } from './gc/node-gc.ts';
import { LoadBalancerLedger } from './load-balancer/load-balancer-ledger.ts';
import { loadBalancerPoolRow } from './load-balancer/load-balancer-pool.ts';
import { LoadBalancerTables } from './load-balancer/load-balancer-tables.ts';
import { LoadBalancerTarget } from './load-balancer/load-balancer-target.ts';
import { nodeRow, type OperatorNodeRow } from './pod-cidrs/node-row.ts';
import { PodCidrLedger } from './pod-cidrs/pod-cidr-ledger.ts';
import { declarePodCidrRequests } from './pod-cidrs/pod-cidr-request.ts';
import { PodCidrTarget } from './pod-cidrs/pod-cidr-target.ts';
import { PodPoolLedger } from './pod-pools/pod-pool-ledger.ts';
import { declarePodPoolRequests } from './pod-pools/pod-pool-request.ts';
import { type PodPoolRow, podPoolRow } from './pod-pools/pod-pool-row.ts';
import { PodPoolTarget } from './pod-pools/pod-pool-target.ts';
import type { OperatorSettings } from './settings.ts';
import { ReportedTarget } from './sinks/reported-target.ts';
import { declareSlices } from './slices/declare-slices.ts';
import { type PodRow, podRow } from './slices/pod-row.ts';
import { type OperatorServiceRow, serviceRow } from './slices/service-row.ts';
import { SliceTarget } from './slices/slice-target.ts';
import { ConditionTarget } from './status/condition-target.ts';
import type { OperatorMetrics } from './status/operator-metrics.ts';

/** What the duties work with. Store and resources write only while the term lasts. */
export interface LeaderDutiesOptions {
  kv: KvStore;
  resources: ResourceStore;
  settings: OperatorSettings;
  clock: Clock;
  random: Random;
  log: Log;
  metrics: OperatorMetrics;
  /** Lets the event loop breathe. */
  yieldToLoop(): Promise<void>;
}

/**
 * What the leader does, from the beginning of its term to the end: sources fill tables, derivations say what should be, sinks write it.
 * All of it is made anew for each term, so that nothing of an earlier one is believed.
 */
export class LeaderDuties {
  readonly #options: LeaderDutiesOptions;
  readonly #store: Store;
  readonly #sinks: SinkGroup;
  /** Sinks that wait for BGP secrets besides, which must not hold up all others. */
  readonly #secretSinks: SinkGroup;
  readonly #pods: TableWriter<PodRow>;
  readonly #services: TableWriter<OperatorServiceRow>;
  readonly #nodes: TableWriter<OperatorNodeRow>;
  readonly #podPools: TableWriter<PodPoolRow>;
  readonly #podCidrs: PodCidrLedger;
  readonly #bgp: BgpTables;
  readonly #loadBalancers: LoadBalancerTables;

  constructor(options: LeaderDutiesOptions) {
    const { clock, random, settings, log, yieldToLoop } = options;
    this.#options = options;
    this.#store = new Store(clock, {
      onFault: ({ table, key, error }) => log.error({ [LOG.table]: table, [LOG.key]: key, [LOG.error]: error }, 'a derivation failed'),
    });
    this.#sinks = new SinkGroup(this.#store, clock, random, yieldToLoop);
    this.#secretSinks = new SinkGroup(this.#store, clock, random, yieldToLoop);
    this.#pods = this.#store.table('pods');
    this.#services = this.#store.table('services');
    this.#nodes = this.#store.table('ciliumnodes');
    this.#podPools = this.#store.table('pod-pools');
    this.#podCidrs = new PodCidrLedger(this.#nodes.table, settings.podPools, (error) =>
      log.error({ [LOG.error]: error }, 'pod CIDRs overlap'),
    );
    this.#bgp = new BgpTables(this.#store, this.#nodes.table, settings.bgpSecretsNamespace);
    this.#loadBalancers = new LoadBalancerTables(this.#store, this.#services.table, settings.families);
    this.#addSlices();
    this.#addClusterIps();
    this.#addPodCidrs();
    this.#addPodPools();
    this.#addBgp();
    this.#addLoadBalancers();
  }

  /** True when all that is derived from has been read in full. Nothing is written, and nothing removed, before. */
  get synced(): boolean {
    const read = [this.#pods, this.#services, this.#nodes, this.#podPools].every(({ table }) => table.scopes.isSynced(LOCAL_SCOPE));
    return read && this.#bgp.synced && this.#loadBalancers.synced;
  }

  /** Every table, for display. */
  tables(): readonly Table<unknown>[] {
    return this.#store.tables();
  }

  /** Works until the signal aborts. Rejects when a part fails for good. */
  async run(signal: AbortSignal): Promise<void> {
    const failed = new AbortController();
    const until = AbortSignal.any([signal, failed.signal]);
    const parts = [
      this.#follow(POD, this.#pods, podRow, until),
      this.#follow(SERVICE, this.#services, serviceRow, until),
      this.#follow(CILIUM_NODE, this.#nodes, nodeRow, until),
      this.#follow(CILIUM_POD_IP_POOL, this.#podPools, podPoolRow, until),
      this.#follow(CILIUM_BGP_CLUSTER_CONFIG, this.#bgp.configs, bgpClusterConfigRow, until),
      this.#follow(CILIUM_BGP_NODE_CONFIG_OVERRIDE, this.#bgp.overrides, bgpOverrideRow, until),
      this.#follow(CILIUM_BGP_PEER_CONFIG, this.#bgp.peerConfigs, bgpPeerConfigRow, until),
      this.#follow(CILIUM_LOAD_BALANCER_IP_POOL, this.#loadBalancers.pools, loadBalancerPoolRow, until),
      this.#follow(SECRET, this.#bgp.secrets, bgpSecretRow, until, this.#options.settings.bgpSecretsNamespace),
      this.#write(until),
      this.#writeOfSecrets(until),
    ];
    try {
      await Promise.all(parts);
    } finally {
      failed.abort();
      await Promise.allSettled(parts);
    }
  }

  async #write(signal: AbortSignal): Promise<void> {
    await this.#store.changed.until(() => this.synced, signal).catch(() => undefined); // rejects only by abort
    if (signal.aborted) return;
    this.#options.log.info({ [LOG.count]: this.#nodes.table.size }, 'everything is read');
    this.#podCidrs.catchUp(); // tells of conflicts at once
    await Promise.all([this.#sinks.run(signal), this.#collectNodes(signal), this.#collectIdentities(signal), this.#rotateKeys(signal)]);
  }

  async #writeOfSecrets(signal: AbortSignal): Promise<void> {
    await this.#store.changed.until(() => this.synced && this.#bgp.secretsSynced, signal).catch(() => undefined); // rejects only by abort
    if (!signal.aborted) await this.#secretSinks.run(signal);
  }

  #follow<T extends Resource, V>(
    kind: ResourceKind<T>,
    writer: TableWriter<V>,
    rowOf: (object: T) => V | undefined,
    signal: AbortSignal,
    namespace?: string,
  ): Promise<void> {
    const { resources, log } = this.#options;
    const onInvalid = (key: string, error: unknown): void =>
      log.warn({ [LOG.kind]: kind.kind, [LOG.key]: key, [LOG.error]: error }, 'an object counts as absent');
    const onDisconnected = (error: unknown): void => log.warn({ [LOG.kind]: kind.kind, [LOG.error]: error }, 'lost contact, is restored');
    const onRelist = (): void => {
      log.info({ [LOG.kind]: kind.kind }, 'listed again; what is written there is checked');
      this.#sinks.redo();
      this.#secretSinks.redo();
    };
    return followResources({
      resources,
      kind,
      part: { namespace },
      store: this.#store,
      writer,
      rowOf,
      signal,
      onInvalid,
      onDisconnected,
      onRelist,
    });
  }

  #addSlices(): void {
    const table = declareSlices(this.#store, this.#services.table, this.#pods.table, this.#options.settings.families);
    this.#addSink('endpointslices', table, new SliceTarget(this.#options.resources));
  }

  #addClusterIps(): void {
    const { resources, settings, clock, log } = this.#options;
    const ranges = settings.serviceRanges;
    if (ranges.size === 0) return;
    const services = this.#services.table;
    const ledger = new ClusterIpLedger(services, ranges, clock, (error) => log.error({ [LOG.error]: error }, 'cluster IPs collide'));
    const requests = declareClusterIpRequests(this.#store, services, [...ranges.keys()]);
    this.#addSink('cluster-ips', requests, new ClusterIpTarget(resources, ledger, clock, log));
  }

  #addPodCidrs(): void {
    const { resources, settings, clock, log } = this.#options;
    const requests = declarePodCidrRequests(this.#store, this.#nodes.table, settings.families);
    this.#addSink('pod-cidrs', requests, new PodCidrTarget(resources, this.#podCidrs, clock, log));
  }

  #addPodPools(): void {
    const { resources, settings, clock, log } = this.#options;
    const reserved = [...[...settings.podPools.values()].flatMap(({ networks }) => networks), ...settings.serviceRanges.values()];
    const ledger = new PodPoolLedger(this.#nodes.table, reserved, (error) =>
      log.error({ [LOG.error]: error }, 'shares of pod pools overlap'),
    );
    const requests = declarePodPoolRequests(this.#store, this.#nodes.table, this.#podPools.table);
    this.#addSink('pod-pools', requests, new PodPoolTarget(resources, ledger, clock, log));
  }

  #addBgp(): void {
    const { resources, clock } = this.#options;
    const { nodeConfigs, clusterConditions, peerConditions } = this.#bgp;
    const failed = (kind: { kind: string }) => (name: string) => this.#options.metrics.bgpFailed(kind.kind, name);
    this.#addSink('bgp-node-configs', nodeConfigs, new BgpNodeConfigTarget(resources), { onFailure: failed(CILIUM_BGP_NODE_CONFIG) });
    const cluster = new ConditionTarget(resources, CILIUM_BGP_CLUSTER_CONFIG, clock);
    this.#addSink('bgp-cluster-conditions', clusterConditions, cluster, { onFailure: failed(CILIUM_BGP_CLUSTER_CONFIG) });
    const peer = new ConditionTarget(resources, CILIUM_BGP_PEER_CONFIG, clock);
    this.#addSink('bgp-peer-conditions', peerConditions, peer, { group: this.#secretSinks, onFailure: failed(CILIUM_BGP_PEER_CONFIG) });
  }

  #addLoadBalancers(): void {
    const { resources, clock, log } = this.#options;
    const { requests, poolConditions } = this.#loadBalancers;
    const ledger = new LoadBalancerLedger(this.#services.table);
    this.#addSink('load-balancers', requests, new LoadBalancerTarget(resources, ledger, clock, log));
    const pools = new ConditionTarget(resources, CILIUM_LOAD_BALANCER_IP_POOL, clock);
    this.#addSink('load-balancer-pool-conditions', poolConditions, pools);
  }

  #addSink<V>(
    name: string,
    table: Table<V>,
    target: SinkTarget<V>,
    { group = this.#sinks, onFailure }: { group?: SinkGroup; onFailure?: (key: string) => void } = {},
  ): void {
    const { log, metrics } = this.#options;
    const failed = (key: string): void => {
      metrics.sinkFailed(name);
      onFailure?.(key);
    };
    group.add({ name, table, target: new ReportedTarget(name, target, log, failed) });
  }

  async #collectNodes(signal: AbortSignal): Promise<void> {
    const { kv, settings, log, metrics } = this.#options;
    const gc = new NodeGc({ kv, cluster: settings.cluster, nodes: this.#nodes.table, log });
    await this.#every(settings.nodeGcMs, signal, async () => metrics.nodesRemoved(await gc.pass()));
  }

  async #collectIdentities(signal: AbortSignal): Promise<void> {
    const { kv, settings, clock, log, metrics } = this.#options;
    const gc = new IdentityGc({ kv, range: settings.identities, clock, log });
    await this.#every(settings.identityGcMs, signal, async () => {
      metrics.identityPass(
        await gc.pass().catch((error: unknown) => {
          metrics.identityPass(undefined);
          throw error;
        }),
      );
    });
  }

  async #rotateKeys(signal: AbortSignal): Promise<void> {
    const { kv, settings, clock, random, log } = this.#options;
    const { cluster, encryption } = settings;
    if (encryption === undefined) return;
    const nodes = (): string[] => [...this.#nodes.table.rows()].map(([, { name }]) => name);
    const duty = new RotationDuty({ targets: new KvWireGuardTargets(kv, cluster), cluster, ...encryption, nodes, clock, log });
    await runRotation({ duty, kv, cluster, clock, random, log }, signal);
  }

  /** Runs a pass now and again after each interval. A failed pass is logged; the next one starts afresh. */
  async #every(ms: number, signal: AbortSignal, pass: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      await pass().catch((error: unknown) => {
        if (!signal.aborted) this.#options.log.warn({ [LOG.error]: error }, 'a garbage collection pass failed');
      });
      await delay(this.#options.clock, ms, signal).catch(() => undefined); // rejects only by abort
    }
  }
}
