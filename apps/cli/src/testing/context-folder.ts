import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterPki, writeFileAtomically } from '@isthmus/crypto';
import { stringify } from 'yaml';

/** A folder with real certificates and a file of contexts. */
export interface ContextFolder {
  readonly dir: string;
  readonly config: string;
  /** Text of a file in it. */
  read(name: string): Promise<string>;
  remove(): Promise<void>;
}

/** Makes contexts of these clusters, the first one current; their join APIs are at `https://<cluster>.test:4280`. */
export async function contextFolder(...clusters: readonly string[]): Promise<ContextFolder> {
  const dir = await mkdtemp(join(tmpdir(), 'isthmus-cli-'));
  const contexts = await Promise.all(
    clusters.map(async (name) => {
      const { ca, clients } = await clusterPki(join(dir, name), { cluster: name, controlPlaneIps: ['127.0.0.1'] });
      return { name, endpoint: `https://${name}.test:4280`, ca: ca.cert, credential: clients.admin, etcd: join(dir, name, 'etcd.yaml') };
    }),
  );
  const config = join(dir, 'config');
  await writeFileAtomically(config, stringify({ current: clusters[0], contexts }), 0o600);
  return {
    dir,
    config,
    read: (name) => readFile(join(dir, name), 'utf8'),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
