import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, delay, isCoded, LOG, messageOf, Notifier } from '@isthmus/core';
import { KV_CONFIG, looksLikeEtcdConfig, parseEtcdConfig } from '@isthmus/kvstore';
import { checkClusterName } from '@isthmus/mesh';
import type { Log } from '../../log.ts';
import type { RemoteConfig, RemoteConfigSource } from '../remote-config.ts';

/** The folder is read this often even if it told of no change: what links point to may change unseen. Milliseconds. */
const READ_EVERY_MS = 5_000;

/** What a {@link RemoteConfigDirectory} works with. */
export interface RemoteConfigDirectoryOptions {
  folder: string;
  /** The own cluster, whose file is passed over. */
  own: string;
  clock: Clock;
  log: Log;
}

/**
 * Cilium's folder of remote clusters (reference: clustermesh §2.1): a file that holds `endpoints:` configures the cluster that it is named
 * after. Files may be links that are switched, as in mounted Secrets.
 */
export class RemoteConfigDirectory implements RemoteConfigSource {
  readonly #options: RemoteConfigDirectoryOptions;
  readonly #changed = new Notifier();
  readonly #said = new Map<string, string>();
  #watcher: FSWatcher | undefined;

  constructor(options: RemoteConfigDirectoryOptions) {
    this.#options = options;
  }

  async watch(onSet: (configs: readonly RemoteConfig[]) => void, signal: AbortSignal): Promise<void> {
    let last: string | undefined;
    let made = false;
    while (!signal.aborted) {
      const wake = this.#changed.wait();
      try {
        if (!made) await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
        made = true;
        this.#observe();
        const configs = await this.#read();
        const digest = configs.map((config) => `${config.name}=${config.digest} ${config.caBundle}`).join();
        if (digest !== last) onSet(configs);
        last = digest;
        this.#said.delete('');
      } catch (error) {
        // What cannot be read is not gone: all connections go on.
        this.#sayOnce('', messageOf(error), 'the folder of remote clusters cannot be read');
      }
      await this.#pause(wake, signal);
    }
    this.#watcher?.close();
  }

  /** Waits for a change, but not for ever. */
  async #pause(wake: Promise<void>, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    await Promise.race([wake, delay(this.#options.clock, READ_EVERY_MS, either).catch(() => undefined)]);
    stop.abort();
  }

  #observe(): void {
    if (this.#watcher) return;
    const watcher = watch(this.#options.folder, { persistent: false }, () => this.#changed.notify());
    this.#watcher = watcher;
    watcher.on('error', () => {
      // The folder was replaced; the next reading watches the new one.
      watcher.close();
      this.#watcher = undefined;
    });
  }

  async #read(): Promise<RemoteConfig[]> {
    const entries = await readdir(this.#options.folder, { withFileTypes: true });
    const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
    const found: RemoteConfig[] = [];
    for (const name of names.sort()) {
      const config = await this.#readOne(name);
      if (config) found.push(config);
    }
    return found;
  }

  async #readOne(name: string): Promise<RemoteConfig | undefined> {
    const text = await this.#textOf(name);
    if (text === undefined || !looksLikeEtcdConfig(text) || name === this.#options.own) return undefined;
    const misnamed = checkClusterName(name);
    if (misnamed) {
      this.#sayOnce(name, misnamed.message, 'a file in the folder of remote clusters is named after no cluster; it is passed over');
      return undefined;
    }
    const { id, podCidrs } = await this.#peer(name);
    const digest = createHash('sha256').update(`${id} ${podCidrs}\n${text}`).digest('hex');
    const parsed = parse(text, join(this.#options.folder, name));
    return { name, digest, id, podCidrs, caBundle: await this.#bundle(parsed.etcd?.trustedCaFile), ...parsed };
  }

  /** What the remote said of itself when it joined lies beside, where it joined through the join API. */
  async #peer(name: string): Promise<Pick<RemoteConfig, 'id' | 'podCidrs'>> {
    const text = await this.#textOf(`${name}.peer.json`);
    if (text === undefined) return { id: 0, podCidrs: [] };
    try {
      const { id, podCIDRs } = JSON.parse(text) as { id?: unknown; podCIDRs?: unknown };
      return { id: Number.isInteger(id) ? (id as number) : 0, podCidrs: Array.isArray(podCIDRs) ? podCIDRs.map(String) : [] };
    } catch {
      return { id: 0, podCidrs: [] }; // the join API complains of it; without it the cluster is as one that was configured by hand
    }
  }

  /** One that cannot be read is complained of by who connects with it. */
  async #bundle(file: string | undefined): Promise<string> {
    if (file === undefined) return '';
    try {
      return await readFile(file, 'utf8');
    } catch {
      return '';
    }
  }

  /** Content of a file; undefined when there is none, which includes links that are being switched to a folder. */
  async #textOf(name: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.#options.folder, name), 'utf8');
    } catch (error) {
      if (['ENOENT', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  }

  #sayOnce(about: string, why: string, message: string): void {
    if (this.#said.get(about) === why) return;
    this.#said.set(about, why);
    this.#options.log.error({ file: join(this.#options.folder, about), [LOG.reason]: why }, message);
  }
}

function parse(text: string, file: string): Pick<RemoteConfig, 'etcd' | 'problem'> {
  try {
    return { etcd: parseEtcdConfig(text, file) };
  } catch (problem) {
    if (!isCoded(problem, KV_CONFIG)) throw problem;
    return { etcd: undefined, problem };
  }
}
