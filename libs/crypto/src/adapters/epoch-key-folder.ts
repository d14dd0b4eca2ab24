import { chmod, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Epoch, isEpoch } from '../wireguard/epoch.ts';
import { WireGuardKey } from '../wireguard/wireguard-key.ts';
import { makePrivateFolder, readKeyBytes, writeFileAtomically } from './key-file.ts';

const FILE = /^epoch-(\d+)\.key$/;
/** `f_type` of a file system in memory: tmpfs and ramfs. */
const MEMORY_TYPES: readonly number[] = [0x0102_1994, 0x8584_58f6];

/** What a folder has. */
export interface EpochKeys {
  readonly keys: ReadonlyMap<Epoch, WireGuardKey>;
  /** By path: why a file is not used. Its epoch counts as one that the node has no key of. */
  readonly broken: ReadonlyMap<string, unknown>;
}

/**
 * The private keys of a node's live epochs: one file each, 0600 in a folder 0700, as `wg` reads them. They survive the agent; in a file system in
 * memory, where they belong, they end with the machine.
 */
export class EpochKeyFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** File of an epoch's key, there or not. */
  file(epoch: Epoch): string {
    return join(this.path, `epoch-${epoch}.key`);
  }

  /** Whether what is written here never reaches a disk. */
  async isInMemory(): Promise<boolean> {
    await this.#prepare();
    return MEMORY_TYPES.includes((await statfs(this.path)).type);
  }

  /** Reads what is there. Files of other names are not looked at. */
  async load(): Promise<EpochKeys> {
    await this.#prepare();
    const keys = new Map<Epoch, WireGuardKey>();
    const broken = new Map<string, unknown>();
    for (const name of (await readdir(this.path)).sort()) {
      const epoch = Number(FILE.exec(name)?.[1]);
      if (!isEpoch(epoch)) continue;
      try {
        keys.set(epoch, await this.#read(epoch));
      } catch (error) {
        broken.set(this.file(epoch), error);
      }
    }
    return { keys, broken };
  }

  /** Writes a key. When it returns a crash does not lose it: only then may its public half be published. */
  async save(epoch: Epoch, key: WireGuardKey): Promise<void> {
    const text = key.text();
    try {
      await writeFileAtomically(this.file(epoch), text, 0o600);
    } finally {
      text.fill(0);
    }
  }

  /** When the key of an epoch was written: milliseconds since 1970; undefined when there is none. */
  async madeAt(epoch: Epoch): Promise<number | undefined> {
    try {
      return (await stat(this.file(epoch))).mtimeMs;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Removes the key of an epoch; one that is not there is fine. */
  async remove(epoch: Epoch): Promise<void> {
    await rm(this.file(epoch), { force: true });
  }

  /** Whoever made the folder, and with which rights: from now on it is for its owner. */
  async #prepare(): Promise<void> {
    await makePrivateFolder(this.path);
    await chmod(this.path, 0o700);
  }

  async #read(epoch: Epoch): Promise<WireGuardKey> {
    const text = await readKeyBytes(this.file(epoch));
    try {
      return WireGuardKey.parse(text);
    } finally {
      text.fill(0);
    }
  }
}
