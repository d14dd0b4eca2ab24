import { type Clock, LOG, type Log } from '@isthmus/core';
import { deviceOf, type Epoch, type EpochKeyFolder, type EpochKeys, type KeyStore, type WireGuardKey } from '@isthmus/crypto';
import { KeyHistory, type LiveKey, type PastKey } from './key-history.ts';
import type { KeyHistoryFile } from './key-history-file.ts';

/** What {@link OwnKeys} works with. */
export interface OwnKeysOptions {
  readonly folder: EpochKeyFolder;
  readonly past: KeyHistoryFile;
  readonly clock: Pick<Clock, 'wall'>;
  readonly log: Log;
}

/** The node's own keys: on disk, and their public halves as they were at the last look, to be shown, with those that it had before. */
export class OwnKeys implements KeyStore {
  readonly #folder: EpochKeyFolder;
  readonly #past: KeyHistoryFile;
  readonly #clock: Pick<Clock, 'wall'>;
  readonly #log: Log;
  readonly #history: KeyHistory;
  readonly #broken = new Set<string>();
  #public: ReadonlyMap<Epoch, string> = new Map();

  constructor({ folder, past, clock, log }: OwnKeysOptions) {
    this.#folder = folder;
    this.#past = past;
    this.#clock = clock;
    this.#log = log;
    this.#history = new KeyHistory(past.load());
  }

  /** Those that it has and had, the newest first. */
  get past(): readonly PastKey[] {
    return this.#history.keys;
  }

  /** By epoch, base64. */
  get public(): ReadonlyMap<Epoch, string> {
    return this.#public;
  }

  /** The newest epoch that there is a key of; 0 when there is none. */
  get newest(): Epoch {
    return Math.max(0, ...this.#public.keys());
  }

  /** The one that is listened for at WireGuard's first port, or the only one that there is. */
  firstPort(): string | undefined {
    const epochs = [...this.#public.keys()].sort((a, b) => b - a);
    const epoch = epochs.find((each) => deviceOf(each) === 'even') ?? epochs[0];
    return epoch === undefined ? undefined : this.#public.get(epoch);
  }

  /** Warns where they would outlive the machine. */
  async checkFolder(): Promise<void> {
    if (await this.#folder.isInMemory()) return;
    this.#log.warn({ folder: this.#folder.path }, 'private keys are kept on a disk: put the state folder on a file system in memory');
  }

  /** A file that is broken is told of once. */
  async load(): Promise<EpochKeys> {
    const loaded = await this.#folder.load();
    this.#public = new Map([...loaded.keys].map(([epoch, key]) => [epoch, key.publicKey]));
    await this.#note();
    for (const [file, error] of loaded.broken) {
      if (!this.#broken.has(file)) this.#log.error({ file, [LOG.error]: error }, 'a key file is broken: a new key is made for its epoch');
      this.#broken.add(file);
    }
    return loaded;
  }

  /** A disk that is full keeps nobody from having keys: the agent says that by itself. */
  async #note(): Promise<void> {
    const live: LiveKey[] = [];
    for (const [epoch, publicKey] of this.#public) {
      const isKnown = this.#history.of(publicKey) !== undefined;
      live.push({ epoch, publicKey, madeAt: isKnown ? undefined : await this.#folder.madeAt(epoch) });
    }
    if (!this.#history.see(live, this.#clock.wall())) return;
    try {
      this.#past.save(this.#history.keys);
    } catch (error) {
      this.#log.warn({ [LOG.error]: error }, 'which keys this node has had is not written down');
    }
  }

  save(epoch: Epoch, key: WireGuardKey): Promise<void> {
    return this.#folder.save(epoch, key);
  }

  remove(epoch: Epoch): Promise<void> {
    return this.#folder.remove(epoch);
  }

  file(epoch: Epoch): string {
    return this.#folder.file(epoch);
  }
}
