import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, delay, LOG, messageOf, type Random } from '@isthmus/core';
import { caPin, FileTokenStore, makePrivateFolder, readKeyFile, splitPem, systemRandomBytes, TokenLedger } from '@isthmus/crypto';
import { KvResources } from '@isthmus/kvstore';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { Apiserver } from './apiserver.ts';
import { ApiserverCertificates } from './apiserver-certificates.ts';
import { Connections, type OwnEtcds, openOwnEtcds } from './connections.ts';
import { FileRemoteConfigStore } from './join/adapters/file-remote-config-store.ts';
import { KvEncryptionTarget } from './join/adapters/kv-encryption-target.ts';
import { type HealthServer, startHealthServer } from './join/health-server.ts';
import type { JoinPorts } from './join/join.module.ts';
import { type JoinServer, startJoinServer } from './join/join-server.ts';
import { cannotListen } from './listen-address.ts';
import type { Log } from './log.ts';
import { RemoteConfigDirectory } from './mirror/adapters/remote-config-directory.ts';
import type { ApiserverSettings } from './settings.ts';
import { ApiserverMetrics } from './status/apiserver-metrics.ts';
import { MirrorStatuses } from './status/remote-statuses.ts';
import { EtcdUserBook } from './users/etcd-user-book.ts';

/** How long calls under way may go on when the process stops. Milliseconds. */
const STOP_GRACE_MS = 1_000;

/** What an {@link ApiserverProcess} works with. */
export interface ApiserverProcessOptions {
  settings: ApiserverSettings;
  clock: Clock;
  random: Random;
  log: Log;
}

/**
 * One clustermesh-apiserver with its servers. Health is served first, so that whoever asks during the start is told what is waited for; then
 * the join API opens, and users, export and mirrors begin. Stopping removes nothing.
 */
export class ApiserverProcess implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #options: ApiserverProcessOptions;
  readonly #connections: Connections;
  readonly #metrics: ApiserverMetrics;
  readonly #stop = new AbortController();
  #apiserver: Apiserver | undefined;
  #running: Promise<void> = Promise.resolve();
  #health: HealthServer | undefined;
  #join: JoinServer | undefined;

  constructor(options: ApiserverProcessOptions) {
    const { settings, clock, random, log } = options;
    this.#options = options;
    this.#connections = new Connections(clock, random, log);
    this.#metrics = new ApiserverMetrics(settings.own.cluster);
  }

  /** Address of the join API; undefined before it is open. */
  get joinUrl(): string | undefined {
    return this.#join?.url;
  }

  /** What is still missing before all works; empty when ready. */
  missing(): string[] {
    const api = this.#join ? [] : ['join API'];
    return [...this.#connections.missing(), ...(this.#apiserver?.missing() ?? ['start']), ...api];
  }

  /** @throws CodedError KV_CONFIG, KEY_FILE_*, APISERVER_LISTEN */
  async onApplicationBootstrap(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.beforeApplicationShutdown();
      throw error;
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stop.abort(new Error('the process stops'));
    await this.#join?.close();
    const done = new AbortController();
    // Writes under way get a moment; an etcd that does not answer is not waited for.
    const grace = delay(this.#options.clock, STOP_GRACE_MS, done.signal).catch(() => undefined);
    await Promise.race([this.#running, grace]);
    done.abort();
    this.#connections.close();
    await this.#running;
    await this.#health?.close();
  }

  async #start(): Promise<void> {
    const { settings, log } = this.#options;
    const { clusterEtcdFile: cluster, meshEtcdFile: mesh, pki } = settings;
    await readKeyFile(pki.ca.key); // a CA that cannot sign is better noticed now than at the first join
    const etcds = await openOwnEtcds(this.#connections, { cluster, mesh }, pki);
    const users = this.#users(etcds);
    const apiserver = this.#makeApiserver(etcds, users);
    const certificates = this.#makeCertificates(apiserver, etcds, users);
    this.#apiserver = apiserver;
    this.#metrics.observe(apiserver, certificates.report);
    await this.#openHealth();
    // Both ports before anything is written: a second process, which finds them taken, must not have touched the mesh etcd of the first.
    await this.#openJoinApi(apiserver, etcds, users, certificates);
    const { signal } = this.#stop;
    this.#running = Promise.all([apiserver.run(signal), certificates.run(signal)])
      .then(() => undefined)
      .catch((error: unknown) => {
        // A defect: nothing would be kept up to date from here on, and a restart loses nothing.
        log.error({ [LOG.error]: error }, 'the apiserver broke off');
        process.exit(1);
      });
  }

  #makeCertificates(apiserver: Apiserver, etcds: OwnEtcds, users: EtcdUserBook): ApiserverCertificates {
    return new ApiserverCertificates({
      ...this.#options,
      users,
      etcds: etcds.configs,
      nodes: () => apiserver.exporter.nodes(),
      onRenewed: () => void this.#join?.refreshCertificate(),
    });
  }

  #users({ mesh, cluster, clusterRoot }: OwnEtcds): EtcdUserBook {
    const { own, bgpSecretsNamespace } = this.#options.settings;
    return new EtcdUserBook({ cluster: own.cluster, mesh: mesh.auth, clusterEtcd: (clusterRoot ?? cluster).auth, bgpSecretsNamespace });
  }

  #makeApiserver(etcds: OwnEtcds, users: EtcdUserBook): Apiserver {
    const { settings, clock, random, log } = this.#options;
    const { remotesFolder, own } = settings;
    const remotes = new FileRemoteConfigStore(remotesFolder);
    const connected = async (): Promise<string[]> => (await remotes.list()).map(({ name }) => name);
    return new Apiserver({
      ...settings,
      podCidrs: settings.local.podCIDRs,
      clusterKv: etcds.cluster,
      resources: new KvResources({ kv: etcds.cluster, clock, random, newUid: randomUUID }),
      meshKv: etcds.mesh,
      setUpMeshUsers: etcds.meshHasUsers ? async () => users.setUpMesh(await connected()) : undefined,
      setUpClusterUsers: etcds.clusterRoot ? (nodes) => users.setUpClusterEtcd(nodes) : undefined,
      configs: new RemoteConfigDirectory({ folder: remotesFolder, own: own.cluster, clock, log }),
      connect: ({ name, etcd }) => this.#connections.openRemote(name, etcd ?? { endpoints: [] }),
      clock,
      random,
      yieldToLoop: () => new Promise((resolve) => setImmediate(resolve)),
      log,
      onWriteFailures: (sink, count) => this.#metrics.writeFailed(sink, count),
    });
  }

  async #openHealth(): Promise<void> {
    const { health } = this.#options.settings;
    if (!health) return;
    const report = { missing: async () => this.missing(), metrics: () => this.#metrics.text() };
    this.#health = await startHealthServer(health, report).catch((error: unknown) => {
      throw cannotListen('prometheus-serve-addr', `${health.host}:${health.port}`, messageOf(error), error);
    });
    this.#options.log.info({ url: this.#health.url }, 'health and metrics are served');
  }

  async #openJoinApi(apiserver: Apiserver, etcds: OwnEtcds, users: EtcdUserBook, certificates: ApiserverCertificates): Promise<void> {
    const { settings, log } = this.#options;
    const { joinApi, pki, stateFolder } = settings;
    await makePrivateFolder(stateFolder);
    const { cert: certPath, key: keyPath } = pki.joinApi;
    const target = new KvEncryptionTarget(etcds.cluster, settings.own.cluster, this.#options.clock);
    const ports = { ...this.#joinPorts(apiserver, users, certificates), target };
    this.#join = await startJoinServer({ ...joinApi, certPath, keyPath }, ports).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).syscall !== 'listen') throw error;
      throw cannotListen('join-api-address', `${joinApi.host}:${joinApi.port}`, messageOf(error), error);
    });
    log.info({ url: this.#join.url }, 'the join API is open');
  }

  #joinPorts(apiserver: Apiserver, users: EtcdUserBook, certificates: ApiserverCertificates): Omit<JoinPorts, 'target'> {
    const { settings, clock, log } = this.#options;
    const { local, pki, stateFolder, remotesFolder } = settings;
    const randomBytes = systemRandomBytes;
    return {
      local: { describe: async () => ({ ...local }) },
      remotes: new FileRemoteConfigStore(remotesFolder),
      status: new MirrorStatuses(apiserver.mirrors, certificates.report),
      problems: () => apiserver.problems(),
      ...certificates.ports,
      users,
      tokens: new TokenLedger({
        store: new FileTokenStore(join(stateFolder, 'tokens.json')),
        clock,
        randomBytes,
        // The CA that the join API shows, which during a change of CA is the former one: everybody's way leads there.
        caPin: () => caPin(splitPem(readFileSync(pki.ca.cert, 'utf8')).at(-1) ?? ''),
      }),
      clock,
      randomBytes,
      log,
    };
  }
}
