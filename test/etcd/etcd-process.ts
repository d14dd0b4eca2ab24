import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { access, cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EtcdConfig, EtcdKvStore, type EtcdOptions } from '@isthmus/kvstore';
import type { TestPki } from './pki.ts';

const BINARY = fileURLToPath(new URL('../../.toolchain/daemons/usr/bin/etcd', import.meta.url));
const START_TIMEOUT_MS = 20_000;

/** What a test's etcd is started with. */
export interface EtcdProcessOptions {
  /** Asks clients for certificates of this CA; their common names are the users. */
  pki?: Pick<TestPki, 'caFile' | 'server' | 'client'>;
  /** More flags, such as `--quota-backend-bytes`. */
  flags?: readonly string[];
}

/** One etcd of a test: its own folder and port, under the test's thumb. */
export class EtcdProcess {
  readonly folder: string;
  readonly port: number;
  readonly #peerPort: number;
  readonly #options: EtcdProcessOptions;
  readonly #stores = new Set<EtcdKvStore>();
  #child: ChildProcess | undefined;
  #log = '';

  private constructor(folder: string, ports: readonly number[], options: EtcdProcessOptions) {
    this.folder = folder;
    [this.port, this.#peerPort] = ports as [number, number];
    this.#options = options;
  }

  /** Starts an etcd and waits until it answers. */
  static async start(options: EtcdProcessOptions = {}): Promise<EtcdProcess> {
    await access(BINARY).catch(() => {
      throw new Error(`${BINARY} is missing: the set-up unpacks it`);
    });
    const folder = await mkdtemp(join(tmpdir(), 'isthmus-etcd-'));
    const etcd = new EtcdProcess(folder, await freePorts(2), options);
    await etcd.run();
    return etcd;
  }

  get endpoint(): string {
    return `${this.#options.pki ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  /** The client configuration of one user. */
  async config(user = 'root'): Promise<EtcdConfig> {
    const { pki } = this.#options;
    return { endpoints: [this.endpoint], ...(pki && { trustedCaFile: pki.caFile, ...(await pki.client(user)) }) };
  }

  /** A store that is closed with this etcd. */
  async connect(user?: string, options: Partial<EtcdOptions> = {}): Promise<EtcdKvStore> {
    const store = new EtcdKvStore({ config: await this.config(user), ...options });
    this.#stores.add(store);
    return store;
  }

  /** Starts the process on what its data folder holds, and waits until it answers. */
  async run(): Promise<void> {
    const child = spawn(BINARY, await this.#flags(), { stdio: ['ignore', 'ignore', 'pipe'], cwd: this.folder });
    this.#child = child;
    child.stderr!.on('data', (chunk: Buffer) => (this.#log = (this.#log + chunk).slice(-4_000)));
    const exited = new Promise<never>((_, reject) =>
      child.once('exit', (code) => reject(new Error(`etcd exited with ${code}: ${this.#log}`))),
    );
    exited.catch(() => undefined); // also fires at the end, when nobody asks
    await Promise.race([this.#answers(), exited]);
  }

  /** SIGKILL, and waits for the end. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** SIGSTOP: connections stay open and silent. Resolves when no thread of it runs any more: until then it may answer. */
  async freeze(): Promise<void> {
    this.#child!.kill('SIGSTOP');
    while (!this.#isStopped()) await new Promise((resolve) => setImmediate(resolve));
  }

  #isStopped(): boolean {
    const tasks = `/proc/${this.#child!.pid}/task`;
    // The state stands after the name, which is in brackets and may have any characters.
    return readdirSync(tasks).every((task) => readFileSync(`${tasks}/${task}/stat`, 'latin1').split(') ').at(-1)?.startsWith('T'));
  }

  /** SIGCONT. */
  thaw(): void {
    this.#child!.kill('SIGCONT');
  }

  /** Kills it and forgets its data. With the same ports it comes back under the same cluster id. */
  async wipe(): Promise<void> {
    await this.kill();
    await rm(this.#data, { recursive: true });
  }

  /** Copies the data of a killed etcd aside. */
  async snapshot(): Promise<string> {
    const copy = await mkdtemp(join(this.folder, 'copy-'));
    await cp(this.#data, copy, { recursive: true });
    return copy;
  }

  /** Puts a copy back in place of the data of a killed etcd. */
  async restore(copy: string): Promise<void> {
    await rm(this.#data, { recursive: true, force: true });
    await cp(copy, this.#data, { recursive: true });
  }

  /** Ends everything and removes the folder. */
  async close(): Promise<void> {
    for (const store of this.#stores) store.close();
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  async #flags(): Promise<string[]> {
    const peer = `http://127.0.0.1:${this.#peerPort}`;
    const { pki, flags } = this.#options;
    const tls = pki
      ? ['--client-cert-auth', '--trusted-ca-file', pki.caFile, '--cert-file', pki.server.certFile, '--key-file', pki.server.keyFile]
      : [];
    return [
      ...['--name', 'test', '--data-dir', this.#data, '--logger', 'zap', '--log-level', 'warn', '--unsafe-no-fsync'],
      ...['--listen-client-urls', this.endpoint, '--advertise-client-urls', this.endpoint],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `test=${peer}`],
      ...['--heartbeat-interval', '10', '--election-timeout', '100'],
      ...tls,
      ...(flags ?? []),
    ];
  }

  async #answers(): Promise<void> {
    const store = new EtcdKvStore({ config: await this.config() });
    try {
      await store.status({ timeoutMs: START_TIMEOUT_MS });
    } finally {
      store.close();
    }
  }
}

/** Ports of the loopback interface that are free now, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
