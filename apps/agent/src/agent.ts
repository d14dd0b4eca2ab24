import { setMaxListeners } from 'node:events';
import { type Clock, IdPool, LOG, type Logger, messageOf, Notifier, type Random } from '@isthmus/core';
import type { CredentialKeeper } from '@isthmus/crypto';
import { IdentityAllocator } from '@isthmus/identity';
import { identityRange } from '@isthmus/mesh';
import type { Config, EndpointRow, NodeRow } from '@isthmus/model';
import { notReady } from './agent.errors.ts';
import { type AgentConnections, openConnections } from './agent-connections.ts';
import type { AgentFacts } from './agent-facts.ts';
import { type AgentKernel, startKernel, tunnelStatus } from './agent-kernel.ts';
import { declarePublishing, type Publishing } from './agent-publishing.ts';
import { isMeshKnown, readinessOf } from './agent-readiness.ts';
import { type RemoteHealth, type RunningSources, startSources } from './agent-sources.ts';
import { agentStatus } from './agent-status.ts';
import type { BgpApi } from './api/bgp-routes.ts';
import { AgentBgp } from './bgp/agent-bgp.ts';
import { nodesByMode } from './bgp/bgp-summary.ts';
import { bgpApi } from './bgp/bgp-view.ts';
import { DrainFile } from './bgp/drain-file.ts';
import { KeptBgpFile } from './bgp/kept-bgp-file.ts';
import { type NodeCertificate, nodeCertificateStatuses, nodeCertificates, nodeCredential } from './certificates/node-certificates.ts';
import type { Unavailable } from './cni/cni-handler.ts';
import { EventFanout } from './datapath/event-fanout.ts';
import { AgentEncryption } from './encryption/agent-encryption.ts';
import type { EncryptionHands } from './encryption/encryption-hands.ts';
import { type EncryptionStatus, NO_ENCRYPTION } from './encryption/encryption-status.ts';
import { excludedPeers } from './encryption/excluded-peers.ts';
import { exemptPorts } from './encryption/exempt-ports.ts';
import type { NodeCredential } from './encryption/key-exchange.ts';
import { hasOptedOut, NodeOptOut } from './encryption/node-opt-out.ts';
import { EndpointFiles } from './endpoint/endpoint-files.ts';
import { type EndpointDependencies, EndpointService } from './endpoint/endpoint-service.ts';
import { readIdentityLabels } from './endpoint/pod-identity.ts';
import { createPodNetwork, findPodLink, inspectPodNetwork, removePodNetwork, visitNetns } from './endpoint/pod-network.ts';
import { restoreEndpoints } from './endpoint/restore-endpoints.ts';
import { KvIdentityRegistry } from './identity/kv-identity-registry.ts';
import { NodeIdentities } from './identity/node-identities.ts';
import { PodCidrIpam } from './node/node-ipam.ts';
import { NodeRegistration } from './node/node-registration.ts';
import { NodeStateFile } from './node/node-state.ts';
import { PodCidrs } from './node/pod-cidrs.ts';
import { StateFolder } from './state/state-folder.ts';
import { type AgentTables, declareAgentTables } from './tables/agent-tables.ts';

/** What an agent is made of. */
export interface AgentOptions {
  readonly config: Config;
  readonly facts: AgentFacts;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** More than the pods of any node; a number is remembered until all have been given out once. */
const MAX_ENDPOINT_ID = 16_383;
/** A runtime gives up after 90 s: it must hear before that what is missing. */
const SETTLE_TIMEOUT_MS = 60_000;
/** Longer than anybody remembers a number in an event or a counter. */
const ENDPOINT_ID_GRACE_MS = 60_000;

/**
 * One node's agent: its tables, the sources that fill them and the sinks that make the kernel and the etcds equal to them. `start` returns
 * when everything runs; `stop` leaves the kernel and the etcds as they are.
 */
export class Agent {
  readonly tables: AgentTables;
  readonly endpoints: EndpointService;
  readonly events = new EventFanout();
  readonly podCidrs: PodCidrs;
  readonly changed = new Notifier();
  readonly network = {
    create: createPodNetwork,
    remove: removePodNetwork,
    find: findPodLink,
    inspect: inspectPodNetwork,
    visit: visitNetns,
  };
  readonly #options: AgentOptions;
  readonly #startedMs: number;
  readonly #stop = new AbortController();
  readonly #ipam: PodCidrIpam;
  readonly #state: StateFolder;
  readonly #stateFile: NodeStateFile;
  readonly #endpointParts: EndpointDependencies;
  readonly #running: Promise<unknown>[] = [];
  #connections!: AgentConnections;
  #allocator!: IdentityAllocator;
  #kernel: AgentKernel | undefined;
  #publishing: Publishing | undefined;
  #bgp: AgentBgp | undefined;
  #certificates: CredentialKeeper | undefined;
  readonly #encryption: AgentEncryption | undefined;
  #optOut = new NodeOptOut('', undefined);
  /** Why a part of the agent ended, which none may. */
  #defect: string | undefined;
  #remotes: Omit<RunningSources, 'running'> = { remotes: () => [], remotesListed: () => false, caBundleOf: () => '' };

  constructor(options: AgentOptions) {
    const { config, facts, clock, log } = options;
    this.#options = options;
    // Every source and sink listens to it.
    setMaxListeners(0, this.#stop.signal);
    this.#startedMs = clock.now();
    const isExcluded = config['enable-wireguard'] ? excludedPeers(config) : () => false;
    const inTheClear = (node: NodeRow): boolean => hasOptedOut(node) && !isExcluded(`${node.cluster}/${node.name}`);
    this.tables = declareAgentTables(clock, { ...facts, inTheClear }, (fault) =>
      log.error({ [LOG.table]: fault.table, [LOG.key]: fault.key, [LOG.error]: fault.error }, 'defect: a derivation failed'),
    );
    this.podCidrs = new PodCidrs(
      facts.podMtu,
      ([4, 6] as const).filter((family) => config[`enable-ipv${family}`]),
    );
    this.#ipam = new PodCidrIpam(clock, config['ipam-reuse-delay'] * 1000);
    this.#state = new StateFolder(config['state-dir']);
    this.#stateFile = new NodeStateFile(this.#state);
    this.#encryption = config['enable-wireguard']
      ? new AgentEncryption({ ...options, tables: this.tables, state: this.#state })
      : undefined;
    this.#endpointParts = this.#endpointDependencies();
    this.endpoints = new EndpointService(this.#endpointParts);
  }

  /** What does not change while it runs. */
  get facts(): AgentFacts {
    return this.#options.facts;
  }

  /** Each remote cluster as it stands. */
  remotes(): RemoteHealth[] {
    return this.#remotes.remotes();
  }

  /** What the agent still waits for before it serves pods; undefined when it does. */
  waitingFor(): string | undefined {
    return readinessOf({
      defect: this.#defect,
      podCidrsKnown: this.podCidrs.known,
      podCidrsRefusal: this.podCidrs.refusal,
      encryptionProblem: this.#encryption?.problem,
      clusterEtcdConnected: this.#connections?.states['cluster etcd']?.connected,
      tables: this.tables,
      sinks: this.#kernel?.sinks.group,
      stateProblem: this.#state.problem(),
      remotes: this.#remotes.remotes(),
      remotesListed: this.#remotes.remotesListed(),
      meshWaitOver: this.#isMeshWaitOver(),
    });
  }

  /** Whether a pod would get no network now, and why. Its pods suffer from it only where a part of the agent has ended. */
  unavailable(): Unavailable | undefined {
    const waiting = this.waitingFor();
    if (waiting !== undefined) return { error: notReady(waiting), limited: this.#defect !== undefined };
    const etcd = this.#connections?.states['cluster etcd'];
    if (etcd?.connected === false) return { error: notReady(`the cluster etcd: ${etcd.error ?? 'not connected yet'}`), limited: false };
    const shortage = this.#ipam.shortage();
    return shortage && { error: shortage, limited: false };
  }

  status(): object {
    const { facts, clock } = this.#options;
    return agentStatus({
      ...facts,
      startedMs: this.#startedMs,
      nowMs: clock.now(),
      waitingFor: this.waitingFor(),
      podCidrs: this.podCidrs.all,
      tunnel: this.#kernel && tunnelStatus(this.#kernel),
      routing: { mode: facts.routingMode, nodes: nodesByMode(this.tables.peers.rows()) },
      bgp: this.#bgp && bgpApi(this.#bgp, this.tables).summary(),
      store: this.tables.store,
      sinks: this.#kernel?.sinks.group,
      publishing: this.#publishing?.group,
      remotes: this.#remotes.remotes(),
      connections: this.#connections?.states ?? {},
      certificates: this.certificates,
    });
  }

  /** The node's certificates, for status and metrics. */
  get certificates(): NodeCertificate[] {
    return this.#certificates ? nodeCertificateStatuses(this.#certificates, this.#options.clock.wall()) : [];
  }

  /** What the API shows of BGP; undefined until the node knows its pod CIDRs. */
  get bgp(): BgpApi | undefined {
    const bgp = this.#bgp;
    return bgp && bgpApi(bgp, this.tables);
  }

  /** What the API shows of encryption. */
  encryption(): EncryptionStatus {
    const { facts } = this.#options;
    return this.#encryption?.status() ?? { ...NO_ENCRYPTION, node: `${facts.cluster}/${facts.node}` };
  }

  /** A loaded map, while the datapath runs. */
  get programs() {
    return this.#kernel?.programs;
  }

  /** Starts everything, in order; waits for the node's pod CIDRs if it has none from an earlier run. */
  async start(): Promise<void> {
    const { config, facts, clock, random, log } = this.#options;
    const signal = this.#stop.signal;
    this.#connections = await openConnections(config, clock, random, log);
    this.#encryption?.checkCredential(this.#credential());
    this.#keepCertificates(signal);
    this.#allocator = this.#identityAllocator();
    const saved = this.#stateFile.load();
    this.#optOut = new NodeOptOut(config['encrypt-node'] ? config['node-encryption-opt-out-labels'] : '', saved?.optOut);
    if (saved) this.#setPodCidrs(saved.podCidrs);
    this.#register(signal);
    await this.changed.until(() => this.podCidrs.known && this.#optOut.isOptedOut !== undefined, signal);

    this.#bgp = new AgentBgp({
      ...this.#options,
      node: facts.node,
      resources: this.#connections.resources,
      tables: this.tables,
      restarting: saved !== undefined,
      drainFile: new DrainFile(this.#state),
      keptFile: new KeptBgpFile(this.#state, facts.bootId),
    });
    this.#bgp.setPodCidrs(this.podCidrs.all);
    this.#bgp.adopt();
    const gateway = this.podCidrs.gateway();
    const exempt = exemptPorts(this.#connections.configs, config['join-api-endpoint']);
    const encryption = await this.#encryption?.open({ exempt, isOptedOut: this.#optOut.isOptedOut === true }, signal);
    this.#kernel = startKernel({ ...this.#options, gateway, tables: this.tables, events: this.events, encryption });
    this.#encryption?.adopt(this.#kernel.adoptedTx);
    const { restored, gone } = restoreEndpoints(this.#endpointParts, (file, error) =>
      log.error({ file, [LOG.error]: error }, 'an endpoint file is broken'),
    );
    log.info({ restored: restored.length, gone: gone.length, podCidrs: this.podCidrs.all }, 'datapath is up');

    const sources = startSources({
      ...this.#options,
      connections: this.#connections,
      tables: this.tables,
      endpoints: this.endpoints,
      allocator: this.#allocator,
      onClusterRelist: () => this.#publishing?.group.redo(),
      signal,
    });
    this.#remotes = sources;
    this.#publishing = declarePublishing({
      ...this.#options,
      connections: this.#connections,
      tables: this.tables,
      podCidrs: this.podCidrs,
      ...(this.#encryption && { encryption: this.#encryption }),
    });
    this.#run('a kernel sink', this.#kernel.sinks.group.run(signal));
    this.#run('a publishing sink', this.#publishing.group.run(signal));
    this.#run('BGP', this.#bgp.run(signal));
    this.#encrypt(this.#kernel, this.#publishing, signal);
    for (const source of sources.running) this.#run('a source', source);
    this.#run('the change of tunnels', this.#leaveOtherTunnels(this.#kernel, signal));
  }

  /** Stops reading and writing. What is in the kernel and in the etcds stays, so that packets flow on. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the agent stops'));
    await Promise.allSettled(this.#running);
    this.#kernel?.close();
    await this.#connections?.close();
  }

  async #leaveOtherTunnels(kernel: AgentKernel, signal: AbortSignal): Promise<void> {
    await kernel.sinks.podProgramsAttached(this.tables.store.revision, signal);
    kernel.removeOtherTunnels();
  }

  #encrypt(kernel: AgentKernel, publishing: Publishing, signal: AbortSignal): void {
    const encryption = this.#encryption;
    if (encryption === undefined) return;
    const hands: EncryptionHands = {
      publish: publishing.publishWireGuard,
      onPublicKey: () => publishing.publishNode(),
      settled: (address, revision, until) => kernel.sinks.peerSettled(address, revision, until),
      complete: () =>
        isMeshKnown({
          tables: this.tables,
          remotes: this.#remotes.remotes(),
          remotesListed: this.#remotes.remotesListed(),
          meshWaitOver: this.#isMeshWaitOver(),
        }),
      credential: this.#credential(),
    };
    this.#run('encryption', encryption.run(hands, signal));
  }

  /** By what other nodes know this one, and this one them. */
  #credential(): NodeCredential | undefined {
    const files = nodeCredential(this.#connections.configs.cluster);
    return files && { files, caBundleOf: (cluster) => this.#remotes.caBundleOf(cluster) };
  }

  #isMeshWaitOver(): boolean {
    return this.#options.clock.now() - this.#startedMs > this.#options.config['clustermesh-sync-timeout'] * 1000;
  }

  /** First of all: with an expired certificate nothing else would begin. */
  #keepCertificates(signal: AbortSignal): void {
    const { config, facts, clock, random, log } = this.#options;
    const { configs: etcds } = this.#connections;
    this.#certificates = nodeCertificates({ ...facts, etcds, joinApi: config['join-api-endpoint'], clock, random, log });
    if (this.#certificates) this.#run('the keeping of certificates', this.#certificates.run(signal));
  }

  #register(signal: AbortSignal): void {
    const { facts, clock, random, log } = this.#options;
    const own = { name: facts.node, ipv4: facts.underlay.ipv4, ipv6: facts.underlay.ipv6, bootId: facts.bootId };
    const registration = new NodeRegistration({
      resources: this.#connections.resources,
      own,
      podHost: () => (this.podCidrs.known ? this.podCidrs.gateway() : undefined),
      onPodCidrs: (cidrs) => this.#setPodCidrs(cidrs),
      onLabels: (labels) => this.#setLabels(labels),
      onRefused: (reason) => this.#setRefusal(reason),
      clock,
      random,
      onError: (error) => log.warn({ [LOG.error]: error }, 'the node cannot be registered yet'),
    });
    this.#run('the registration of the node', registration.run(signal));
  }

  #setRefusal(reason: string | undefined): void {
    if (reason === this.podCidrs.refusal) return;
    this.podCidrs.refusal = reason;
    if (reason !== undefined) this.#options.log.warn({ [LOG.reason]: reason }, 'the operator has no pod CIDRs for this node');
  }

  #setPodCidrs(cidrs: readonly string[]): void {
    if (JSON.stringify(cidrs) === JSON.stringify(this.podCidrs.all)) return;
    this.#ipam.setCidrs(cidrs);
    this.#saveState(cidrs);
    this.podCidrs.set(cidrs);
    this.#publishing?.publishNode();
    this.#bgp?.setPodCidrs(cidrs);
    this.#options.log.info({ podCidrs: cidrs }, 'pod CIDRs');
    this.changed.notify();
  }

  #setLabels(labels: Readonly<Record<string, string>>): void {
    const heard = this.#optOut.hear(labels);
    if (heard === 'same') return;
    if (heard === 'late')
      this.#options.log.warn({}, "the labels of the node say otherwise now of its own packets' encryption: start the agent again");
    if (this.podCidrs.known) this.#saveState(this.podCidrs.all);
    this.changed.notify();
  }

  #saveState(podCidrs: readonly string[]): void {
    const optOut = this.#optOut.state;
    this.#stateFile.save({ podCidrs, ...(optOut && { optOut }) });
  }

  /** One for the whole process: it remembers the numbers that are not to be trusted. */
  #identityAllocator(): IdentityAllocator {
    const { facts, random } = this.#options;
    const range = { cluster: facts.cluster, ...identityRange(facts.clusterId, facts.maxConnectedClusters) };
    return new IdentityAllocator(new KvIdentityRegistry(this.#connections.clusterKv), range, random);
  }

  async #settled(row: EndpointRow, revision: number, signal: AbortSignal): Promise<void> {
    if (!this.#kernel) throw notReady('the datapath');
    await this.#kernel.sinks.settled(row, revision, AbortSignal.any([signal, AbortSignal.timeout(SETTLE_TIMEOUT_MS)]));
  }

  #endpointDependencies(): EndpointDependencies {
    const { facts, clock, log } = this.#options;
    const { endpoints, localIdentities } = this.tables.sources;
    return {
      store: this.tables.store,
      endpoints,
      ids: new IdPool({ name: 'endpoints', min: 1, max: MAX_ENDPOINT_ID, graceMs: ENDPOINT_ID_GRACE_MS }, clock),
      files: new EndpointFiles(this.#state),
      ipam: this.#ipam,
      network: this.network,
      node: this.podCidrs,
      identities: new NodeIdentities(endpoints.table, localIdentities.table, { allocate: (labels) => this.#allocator.allocate(labels) }),
      labelsOf: (namespace, pod) => readIdentityLabels(this.#connections.resources, facts.cluster, namespace, pod),
      settled: (row, revision, signal) => this.#settled(row, revision, signal),
      onLeftover: ({ containerId }, error) => log.error({ containerId, [LOG.error]: error }, 'a failed ADD left something behind'),
    };
  }

  /** Runs a part until the agent stops. One that ends earlier has a defect: the agent says so, and that it is not ready. */
  #run(part: string, running: Promise<unknown>): void {
    const failed = (error: unknown): void => {
      if (this.#stop.signal.aborted) return;
      this.#defect = `a restart: ${part} ended (${messageOf(error)})`;
      this.#options.log.error({ [LOG.error]: error }, `defect: ${part} of the agent ended`);
    };
    this.#running.push(running.catch(failed));
  }
}
