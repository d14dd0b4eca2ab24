import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '@isthmus/core';
import {
  ClustermeshConfigDirectory,
  type CredentialFiles,
  clusterOfferSchema,
  FileCredential,
  readIfPresent,
  writeFileAtomically,
} from '@isthmus/crypto';
import type { RemoteCredentialStore } from '../../certificates/remote-credential-store.ts';
import { JOIN_PEER_UNREADABLE } from '../join.errors.ts';
import type { RemoteCluster, RemoteConfigStore, RemoteCredential } from '../ports.ts';

const PEER_FORM = clusterOfferSchema.omit({ csr: true });

/**
 * Remote clusters in Cilium's configuration folder. Beside each lies `<name>.peer.json` with what the remote said of itself when it joined;
 * Cilium passes it over, because it is no etcd client configuration. A cluster that somebody configured by hand has none and is not listed.
 */
export class FileRemoteConfigStore implements RemoteConfigStore, RemoteCredentialStore {
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
    await this.#writePeer(remote);
    await this.#config.write(remote.name, { endpoints: remote.endpoints, caBundle: remote.caBundle, ...credential });
  }

  async remove(name: string): Promise<void> {
    await this.#config.remove(name);
    await rm(this.#peerPath(name), { force: true });
  }

  credential(name: string): CredentialFiles {
    const paths = this.#config.paths(name);
    const files = new FileCredential({ certs: [paths.cert], key: paths.key, ca: paths.ca });
    // A remote that was disconnected meanwhile must leave no files behind.
    const whenConfigured = async (work: (remote: RemoteCluster) => Promise<void>): Promise<void> => {
      const remote = (await this.list()).find((each) => each.name === name);
      if (remote) await work(remote);
    };
    return {
      read: () => files.read(),
      writeCertificates: (certificates) => whenConfigured(() => files.writeCertificates(certificates)),
      writeBundle: (caBundle) =>
        whenConfigured(async (remote) => {
          // What tells whether a later offer is of the same cluster.
          await this.#writePeer({ ...remote, caBundle });
          await files.writeBundle(caBundle);
        }),
    };
  }

  async #writePeer(remote: RemoteCluster): Promise<void> {
    await writeFileAtomically(this.#peerPath(remote.name), `${JSON.stringify(PEER_FORM.parse(remote), null, 1)}\n`, 0o644);
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
