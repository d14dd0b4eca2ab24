import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '@isthmus/core';
import { ClustermeshConfigDirectory, clusterOfferSchema, readIfPresent, writeFileAtomically } from '@isthmus/crypto';
import { JOIN_PEER_UNREADABLE } from '../join.errors.ts';
import type { RemoteCluster, RemoteConfigStore, RemoteCredential } from '../ports.ts';

const PEER_FORM = clusterOfferSchema.omit({ csr: true });

/**
 * Remote clusters in Cilium's configuration folder. Beside each lies `<name>.peer.json` with what the remote said of itself when it joined;
 * Cilium passes it over, because it is no etcd client configuration. A cluster that somebody configured by hand has none and is not listed.
 */
export class FileRemoteConfigStore implements RemoteConfigStore {
  readonly #dir: string;
  readonly #config: ClustermeshConfigDirectory;

  constructor(dir: string) {
    this.#dir = dir;
    this.#config = new ClustermeshConfigDirectory(dir);
  }

  async list(): Promise<readonly RemoteCluster[]> {
    const found: RemoteCluster[] = [];
    for (const name of await this.#config.list()) {
      const text = await readIfPresent(this.#peerPath(name));
      if (text !== undefined) found.push(this.#parse(name, text));
    }
    return found;
  }

  async write(remote: RemoteCluster, credential: RemoteCredential): Promise<void> {
    await writeFileAtomically(this.#peerPath(remote.name), `${JSON.stringify(PEER_FORM.parse(remote), null, 1)}\n`, 0o644);
    await this.#config.write(remote.name, { endpoints: remote.endpoints, caBundle: remote.caBundle, ...credential });
  }

  async remove(name: string): Promise<void> {
    await this.#config.remove(name);
    await rm(this.#peerPath(name), { force: true });
  }

  #parse(name: string, text: string): RemoteCluster {
    try {
      return PEER_FORM.parse(JSON.parse(text));
    } catch (cause) {
      throw new CodedError(JOIN_PEER_UNREADABLE, `${this.#peerPath(name)} cannot be read`, { object: name, cause });
    }
  }

  #peerPath(name: string): string {
    return join(this.#dir, `${name}.peer.json`);
  }
}
