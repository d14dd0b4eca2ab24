import { type Decoded, rejecting } from './decode-result.ts';
import { goJson } from './go-json.ts';
import { readJsonObject, readUint } from './json-reader.ts';

/** Ours: what an agent must know of a configured remote even while that remote's leased keys are gone. */
export interface ConfiguredCluster {
  /** The id last accepted: it tells which kernel rows are the cluster's, and must not be pruned. 0: none accepted yet. */
  id: number;
}

const MAX_BYTES = 4096;

/** Reads the value of `cilium/cache/isthmus/clusters/v1/<cluster>`. */
export function decodeConfiguredCluster(bytes: Uint8Array): Decoded<ConfiguredCluster> {
  if (bytes.length > MAX_BYTES) return { ok: false, reason: 'too-large' };
  return rejecting(() => ({ id: readUint(readJsonObject(bytes), 'id', 511) }));
}

/** Writes it: `{"id":3}`. */
export function encodeConfiguredCluster(cluster: ConfiguredCluster): string {
  return goJson({ id: cluster.id });
}
