import type { JoinApi } from '@isthmus/crypto';
import { KINDS, type ResourceKind } from '@isthmus/model';
import type { OpenResources } from '../cli.ts';
import { type DumpFile, type DumpPart, jsonFile } from './dump-part.ts';

/** How a cluster is asked. Each may fail for itself. */
export interface ClusterAccess {
  readonly context: string;
  joinApi(): Promise<JoinApi>;
  resources(): Promise<OpenResources>;
}

/** What a cluster's control plane says, and its objects. */
export function clusterPart({ context, joinApi, resources }: ClusterAccess): DumpPart {
  return {
    name: `the cluster of context ${context}`,
    files: async () => [
      jsonFile('cluster/cluster.json', async () => (await joinApi()).cluster()),
      jsonFile('cluster/remotes.json', async () => (await joinApi()).remotes()),
      ...KINDS.map((kind) => objectsFile(kind, resources)),
    ],
  };
}

function objectsFile(kind: ResourceKind, resources: () => Promise<OpenResources>): DumpFile {
  return jsonFile(`cluster/objects/${kind.plural}.json`, async () => {
    const { store, close } = await resources();
    try {
      return await store.list(kind);
    } finally {
      close();
    }
  });
}
