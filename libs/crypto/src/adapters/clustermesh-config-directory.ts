import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { readIfPresent, writeCertificateFile, writeFileAtomically, writeKeyFile } from './key-file.ts';

/** How to reach one cluster's mesh etcd, and with what. */
export interface EtcdClientFiles {
  /** `https://host:port` */
  endpoints: readonly string[];
  /** CAs that may have signed the server's certificate, PEM. */
  caBundle: string;
  certPem: string;
  keyPem: string;
  /** Addresses of host names that no DNS knows (Cilium's `cilium-host-aliases`). */
  hostAliases?: readonly { hostname: string; ips: readonly string[] }[];
}

/**
 * Cilium's folder of remote clusters (reference: clustermesh §2.1): `<cluster>` is an etcd client configuration in YAML, beside it lie
 * `<cluster>.etcd-client-ca.crt`, `.crt` and `.key`. The YAML is written last and removed first: it is what makes readers connect.
 */
export class ClustermeshConfigDirectory {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Adds or replaces a cluster. */
  async write(cluster: string, files: EtcdClientFiles): Promise<void> {
    const path = this.paths(cluster);
    await writeCertificateFile(path.ca, files.caBundle);
    await writeKeyFile(path.key, files.keyPem);
    await writeCertificateFile(path.cert, files.certPem);
    await writeFileAtomically(path.yaml, this.#yaml(cluster, files), 0o644);
  }

  /** Removes a cluster; an absent one is fine. */
  async remove(cluster: string): Promise<void> {
    const path = this.paths(cluster);
    for (const file of [path.yaml, path.cert, path.key, path.ca]) await rm(file, { force: true });
  }

  /** Names of the configured clusters, sorted. A file counts when it holds `endpoints:`, as it does for Cilium. */
  async list(): Promise<string[]> {
    const found: string[] = [];
    for (const name of (await this.#names()).sort()) {
      if (/^[a-z0-9-]+$/.test(name) && (await readIfPresent(join(this.#dir, name)))?.includes('endpoints:')) found.push(name);
    }
    return found;
  }

  async #names(): Promise<string[]> {
    try {
      return (await readdir(this.#dir, { withFileTypes: true })).filter((e) => !e.isDirectory()).map((e) => e.name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** Where the files of a cluster lie. */
  paths(cluster: string): { yaml: string; ca: string; cert: string; key: string } {
    const base = join(this.#dir, cluster);
    return { yaml: base, ca: `${base}.etcd-client-ca.crt`, cert: `${base}.etcd-client.crt`, key: `${base}.etcd-client.key` };
  }

  #yaml(cluster: string, files: EtcdClientFiles): string {
    const path = this.paths(cluster);
    return stringify({
      endpoints: files.endpoints,
      'trusted-ca-file': path.ca,
      'key-file': path.key,
      'cert-file': path.cert,
      ...(files.hostAliases === undefined ? {} : { 'cilium-host-aliases': files.hostAliases }),
    });
  }
}
