import { BfdClient, type PeerStatus, tcpTransport } from '@isthmus/bgp';
import { type Clock, LOCAL_SCOPE, LOG, type Logger, type Random, type Sink, SinkGroup, type TableWriter } from '@isthmus/core';
import { DiscardSink, LEARNED_SCOPE, listLearnedRoutes, type NetlinkEvent, NetlinkMonitor } from '@isthmus/datapath';
import type { Config, ResourceStore } from '@isthmus/model';
import { type Cidr, parseCidr } from '@isthmus/net';
import { sinkReport } from '../sink-report.ts';
import type { AgentTables } from '../tables/agent-tables.ts';
import { Adoption } from './adoption.ts';
import { runBgpSource } from './bgp-source.ts';
import { BgpSpeakers } from './bgp-speakers.ts';
import { peerViews } from './bgp-view.ts';
import type { DrainFile } from './drain-file.ts';
import { KeptBgp } from './kept-bgp.ts';
import type { KeptBgpFile } from './kept-bgp-file.ts';
import { KernelRoutes } from './kernel-routes.ts';
import { LearnedRoutes } from './learned-routes.ts';
import { LinkNeighbours } from './link-neighbours.ts';
import { NodeConfigStatus } from './node-config-status.ts';
import { NodeNetwork } from './node-network.ts';
import { PeerFailures } from './peer-failures.ts';
import { unnumberedInterfaces } from './peer-rows.ts';
import type { RunningSpeaker } from './running-speaker.ts';

/** Next hops of equal cost that a learned route gets at most. */
const MAX_PATHS = 8;

/** What BGP works with. */
export interface AgentBgpOptions {
  readonly config: Config;
  readonly node: string;
  readonly resources: ResourceStore;
  readonly tables: AgentTables;
  /** The agent was here before, and its routes may be kept by its peers. */
  readonly restarting: boolean;
  readonly drainFile: Pick<DrainFile, 'load' | 'save'>;
  readonly keptFile: Pick<KeptBgpFile, 'load' | 'save'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The node's BGP: speakers by the tables of what is configured, and what they learn as a table. */
export class AgentBgp {
  readonly group: SinkGroup;
  readonly speakers: BgpSpeakers;
  readonly learned: LearnedRoutes;
  readonly #options: AgentBgpOptions;
  readonly #network = new NodeNetwork();
  readonly #kernelRoutes: KernelRoutes;
  readonly #bfd: BfdClient;
  readonly #failures: PeerFailures;
  readonly #neighbours: LinkNeighbours;
  readonly #kept: KeptBgp;
  readonly #adoption: Adoption;
  #ownCidrs: readonly Cidr[] = [];
  /** Of pod pools. */
  #ownShares: readonly Cidr[] = [];
  #monitor: NetlinkMonitor | undefined;
  /** Indexes of the devices that sessions go over, by instance and peer. */
  readonly #devices = new Map<string, number>();

  constructor(options: AgentBgpOptions) {
    const { tables, clock, random, log } = options;
    const { store, sources } = tables;
    this.#options = options;
    this.learned = new LearnedRoutes({
      store,
      writer: sources.learnedRoutes,
      ownCidrs: () => [...this.#ownCidrs, ...this.#ownShares],
      resolve: (hop) => this.#network.resolve(hop),
      later: setImmediate,
    });
    this.#kernelRoutes = new KernelRoutes({
      store,
      writer: sources.kernelRoutes,
      list: () => listLearnedRoutes().map(([prefix]) => prefix),
    });
    const onState = (instance: string, status: PeerStatus): void => this.#onState(instance, status);
    const parts = { clock, random, transport: tcpTransport, later: setImmediate, restarting: options.restarting, onState };
    this.speakers = new BgpSpeakers(parts, {
      started: (speaker) => this.#follow(speaker),
      removed: (name) => this.learned.forget(name),
    });
    this.#bfd = this.#bfdClient();
    this.#failures = new PeerFailures({
      monitor: this.#bfd,
      localAddress: (remote) => this.#network.localAddress(remote),
      onFailed: (peer, reason) => this.#fail(peer.instance, peer.address, reason),
    });
    if (options.drainFile.load()) this.speakers.setDraining(true);
    this.#neighbours = this.#linkNeighbours();
    this.#adoption = new Adoption({
      tables: tables.bgp,
      running: this.speakers.running,
      isWaiting: () => this.#neighbours.waiting,
      clock,
      onComplete: () => {
        this.#failures.begin();
        this.learned.complete(LEARNED_SCOPE);
      },
    });
    this.#kept = new KeptBgp({
      resources: options.resources,
      tables: tables.bgp,
      file: options.keptFile,
      clock,
      onFailed: (error) => log.warn({ [LOG.error]: error }, 'BGP cannot be kept for the next start'),
    });
    this.group = new SinkGroup(store, clock, random, () => new Promise((resolve) => setImmediate(resolve)), sinkReport(log));
    this.#declareSinks();
  }

  /** The node's own pods are these. */
  setPodCidrs(cidrs: readonly string[]): void {
    this.#ownCidrs = cidrs.flatMap((text) => parseCidr(text) ?? []);
    const { podCidrs } = this.#options.tables.bgp.sources;
    replaceRows(podCidrs, new Map(cidrs.map((cidr) => [cidr, true as const])));
    podCidrs.synced(LOCAL_SCOPE);
    this.learned.reconsider();
  }

  /** Drains the node (RFC 8326), or takes that back, also for runs to come. @throws CodedError STATE_NOT_SAVED: for this run it is done */
  setDraining(draining: boolean): void {
    this.speakers.setDraining(draining);
    this.#options.drainFile.save(draining);
  }

  /** Takes over what an earlier run left in the kernel. Before any sink runs: peers that are native must stay so. */
  adopt(): void {
    this.learned.adopt(listLearnedRoutes());
    this.#kernelRoutes.read();
    this.#monitor = new NetlinkMonitor((events) => this.#take(events));
    this.#readNetwork();
  }

  /** Works until the signal aborts. What peers and kernel have then stays. */
  async run(signal: AbortSignal): Promise<void> {
    const { tables, node, config, log } = this.#options;
    const source = runBgpSource(
      {
        resources: this.#kept.resources,
        store: tables.store,
        node,
        secretsNamespace: config['bgp-secrets-namespace'],
        onInvalid: (kind, key, error) => log.warn({ [LOG.kind]: kind, [LOG.key]: key, [LOG.error]: error }, 'a resource was ignored'),
        onDisconnected: (error) => log.debug({ [LOG.error]: error }, 'a source waits for its etcd'),
      },
      tables.bgp.sources,
      signal,
    );
    this.#bfd.start();
    const report = config['enable-bgp-control-plane-status-report'] ? this.#statusReporter().run(signal) : undefined;
    const stopListening = tables.store.changed.listen(() => {
      this.#neighbours.changed();
      this.#kept.changed();
      this.#readShares();
      this.#adoption.check();
    });
    this.#neighbours.start();
    try {
      await Promise.all([source, report, this.group.run(signal)]);
    } finally {
      stopListening();
      this.#adoption.stop();
      this.#kept.stop();
      this.#neighbours.stop();
      for (const name of this.speakers.running.keys()) this.learned.leave(name);
      await this.speakers.stop();
      // The sessions stay, so that peers see no failure.
      this.#bfd.stop();
      await this.#monitor?.close();
    }
  }

  #declareSinks(): void {
    const { bgp } = this.#options.tables;
    const instances = this.group.add({
      name: 'bgp-speakers',
      table: bgp.speakers,
      startWhenSynced: LOCAL_SCOPE,
      target: this.speakers.instances,
    });
    const discards = this.group.add({ name: 'bgp-discards', table: bgp.discards, target: new DiscardSink() });
    const routes = this.group.add({
      name: 'bgp-routes',
      table: bgp.routes,
      after: [discards] as Sink<unknown>[],
      // What was kept is all that peers need to hear first.
      ...(!this.#kept.isThere && { startWhenSynced: LOCAL_SCOPE }),
      target: this.speakers.routes,
    });
    this.group.add({
      name: 'bgp-peers',
      table: bgp.peers,
      startWhenSynced: LOCAL_SCOPE,
      target: this.speakers.peers,
      after: [instances, routes] as Sink<unknown>[],
    });
    this.group.add({ name: 'bfd-sessions', table: bgp.peers, startWhenSynced: LOCAL_SCOPE, target: this.#failures });
  }

  #statusReporter(): NodeConfigStatus {
    const { resources, node, clock, log, tables } = this.#options;
    const failures = (): string[] => [
      ...[...tables.bgp.refusals.rows()].map(([key, { reason }]) => `${key}: ${reason}`),
      ...this.group.all().flatMap((sink) => [...sink.status.rows()].map(([key, { error }]) => `${key}: ${error}`)),
    ];
    const isKnown = (): boolean => tables.bgp.refusals.scopes.isSynced(LOCAL_SCOPE);
    return new NodeConfigStatus({ resources, node, clock, log, isKnown, peers: () => peerViews(this, tables), failures });
  }

  #bfdClient(): BfdClient {
    const { config, clock, random, log } = this.#options;
    return new BfdClient({
      path: config['bfd-socket-path'],
      clock,
      random,
      onState: (report) => this.#failures.report(report),
      onConnected: (connected, error) => {
        if (connected) log.info('the BFD process is there');
        else if (this.#hasBfd()) log.warn({ [LOG.error]: error }, 'the BFD process cannot be reached; peers are not watched');
      },
      onRefused: (key, error) => log.warn({ [LOG.peer]: key, [LOG.reason]: error }, 'the BFD process refuses a session'),
    });
  }

  #linkNeighbours(): LinkNeighbours {
    const { clock, log, tables } = this.#options;
    const { instances, linkNeighbours } = tables.bgp.sources;
    return new LinkNeighbours({
      devices: () => new Set([...instances.table.rows()].flatMap(([, row]) => unnumberedInterfaces(row))),
      link: this.#network,
      writer: linkNeighbours,
      clock,
      onFailed: (device, error) => log.warn({ [LOG.key]: device, [LOG.error]: error }, 'a neighbour that is to be a BGP peer is not found'),
    });
  }

  #hasBfd(): boolean {
    return [...this.#options.tables.bgp.peers.rows()].some(([, { bfd }]) => bfd !== undefined);
  }

  #fail(instance: string, address: string, reason: string): void {
    const speaker = this.speakers.running.get(instance)?.speaker;
    const isUp = speaker?.status().some((status) => status.address === address && status.state === 'established');
    if (isUp) speaker?.failPeer(address, reason);
  }

  #follow(speaker: RunningSpeaker): void {
    this.learned.follow(speaker.name, speaker.rib.follow(MAX_PATHS));
    speaker.rib.onEndOfRib(() => this.#adoption.check());
  }

  #onState(instance: string, { address, state, lastError }: PeerStatus): void {
    const { log } = this.#options;
    this.#noteDevice(instance, address, state === 'established');
    if (state === 'established') log.info({ instance, [LOG.peer]: address }, 'BGP session is up');
    else if (state === 'idle' && lastError !== undefined)
      log.warn({ instance, [LOG.peer]: address, [LOG.reason]: lastError }, 'BGP session is down');
    this.#adoption.check();
  }

  #take(events: readonly NetlinkEvent[]): void {
    if (events.some(({ kind }) => kind === 'link')) this.#failWithoutCarrier();
    if (!this.#kernelRoutes.take(events)) return;
    this.#readNetwork();
    this.learned.reconsider();
    this.#failures.say();
  }

  /** A peer at the other end of a cable that is out is gone: nobody need wait for a timer (RFC 4271 §8, event TcpConnectionFails comes too late). */
  #failWithoutCarrier(): void {
    const dead = this.#network.withoutCarrier();
    if (dead.size === 0) return;
    for (const { name, speaker } of this.speakers.running.values()) {
      for (const { address } of speaker.status()) {
        const device = this.#devices.get(`${name}/${address}`);
        if (device !== undefined && dead.has(device)) this.#fail(name, address, 'its device has no carrier');
      }
    }
  }

  /** While a session is up it is known which device it goes over. One over several hops may find another. */
  #noteDevice(instance: string, address: string, isUp: boolean): void {
    const key = `${instance}/${address}`;
    this.#devices.delete(key);
    const peer = [...(this.speakers.running.get(instance)?.peers.values() ?? [])].find((each) => each.address === address);
    if (!isUp || peer?.connection.multihop !== undefined) return;
    const [hop] = this.#network.resolve({ nextHop: address });
    if (hop?.device !== undefined) this.#devices.set(key, hop.device);
  }

  #readShares(): void {
    const shares = [...this.#options.tables.bgp.sources.poolShares.table.rows()].flatMap(([text]) => parseCidr(text) ?? []);
    if (shares.join() === this.#ownShares.join()) return;
    this.#ownShares = shares;
    this.learned.reconsider();
  }

  #readNetwork(): void {
    const { gateways, deviceAddresses } = this.#options.tables.bgp.sources;
    this.#network.changed();
    this.#options.tables.store.transact(() => {
      replaceRows(gateways, this.#network.gateways());
      replaceRows(deviceAddresses, this.#network.deviceAddresses());
    });
    gateways.synced(LOCAL_SCOPE);
    deviceAddresses.synced(LOCAL_SCOPE);
  }
}

/** Makes a table have these rows and no others. */
function replaceRows<V>(writer: TableWriter<V>, rows: ReadonlyMap<string, V>): void {
  for (const [key] of writer.table.rows()) if (!rows.has(key)) writer.delete(key);
  for (const [key, row] of rows) writer.put(key, row);
}
