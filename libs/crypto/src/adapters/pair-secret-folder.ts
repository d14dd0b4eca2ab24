import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isCoded } from '@isthmus/core';
import { type Epoch, isEpoch } from '../wireguard/epoch.ts';
import type { PairSecretStore, StoredPair, StoredPairs } from '../wireguard/preshared/pair-secrets.ts';
import { parsePublicKey } from '../wireguard/wireguard-key.ts';
import { KEY_FILE_MISSING, KEY_FILE_OPEN, readKeyBytes, writeFileAtomically } from './key-file.ts';

const FOLDER = /^epoch-(\d+)\.pairs$/;
const SEED = 'kem.seed';
const PSK = /^([A-Za-z0-9_-]{43})\.psk$/;
const SEED_BYTES = 64;

/**
 * Preshared keys beside the keys of epochs: `epoch-<n>.pairs/<peer's public key>.psk`, of those that the node has made `.answer` with that name, and `kem.seed`,
 * 0600 in a folder 0700.
 */
export class PairSecretFolder implements PairSecretStore {
  readonly #path: string;

  /** @param path the folder of the epochs' keys */
  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<ReadonlyMap<Epoch, StoredPairs>> {
    const stored = new Map<Epoch, StoredPairs>();
    for (const name of await namesIn(this.#path)) {
      const epoch = Number(FOLDER.exec(name)?.[1]);
      if (!isEpoch(epoch)) continue;
      const peers = (await namesIn(this.#folder(epoch))).flatMap((file) => peerOf(file) ?? []);
      stored.set(epoch, { seed: await this.#seed(epoch), peers: new Set(peers) });
    }
    return stored;
  }

  async saveSeed(epoch: Epoch, seed: Uint8Array): Promise<void> {
    await writeFileAtomically(join(this.#folder(epoch), SEED), seed, 0o600);
  }

  async savePair(epoch: Epoch, publicKey: string, { psk, answer }: StoredPair): Promise<void> {
    if (answer !== undefined) await writeFileAtomically(this.#pairFile(epoch, publicKey, 'answer'), answer, 0o600);
    await writeFileAtomically(this.file(epoch, publicKey), psk, 0o600);
  }

  async readPair(epoch: Epoch, publicKey: string): Promise<StoredPair | undefined> {
    const psk = await readUsable(this.file(epoch, publicKey));
    return psk && { psk, answer: await readUsable(this.#pairFile(epoch, publicKey, 'answer')) };
  }

  async removePair(epoch: Epoch, publicKey: string): Promise<void> {
    for (const kind of ['psk', 'answer'] as const) await rm(this.#pairFile(epoch, publicKey, kind), { force: true });
  }

  file(epoch: Epoch, publicKey: string): string {
    return this.#pairFile(epoch, publicKey, 'psk');
  }

  async remove(epoch: Epoch): Promise<void> {
    await rm(this.#folder(epoch), { recursive: true, force: true });
  }

  #pairFile(epoch: Epoch, publicKey: string, kind: 'psk' | 'answer'): string {
    return join(this.#folder(epoch), `${Buffer.from(publicKey, 'base64').toString('base64url')}.${kind}`);
  }

  #folder(epoch: Epoch): string {
    return join(this.#path, `epoch-${epoch}.pairs`);
  }

  /** One that is broken, or that others could read, counts as none: a new one is made and published. */
  async #seed(epoch: Epoch): Promise<Buffer | undefined> {
    const seed = await readUsable(join(this.#folder(epoch), SEED));
    if (seed === undefined || seed.length === SEED_BYTES) return seed;
    seed.fill(0);
    return undefined;
  }
}

/** Undefined: it is not there, or others could read it. */
async function readUsable(path: string): Promise<Buffer | undefined> {
  try {
    return await readKeyBytes(path);
  } catch (error) {
    if (isCoded(error, KEY_FILE_OPEN) || isCoded(error, KEY_FILE_MISSING)) return undefined;
    throw error;
  }
}

function peerOf(file: string): string | undefined {
  const name = PSK.exec(file)?.[1];
  return name === undefined ? undefined : parsePublicKey(Buffer.from(name, 'base64url').toString('base64'));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
