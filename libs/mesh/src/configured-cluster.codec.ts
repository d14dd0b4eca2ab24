import { type Decoded, rejecting } from './decode-result.ts';
import { goJson } from './go-json.ts';
import { readJsonObject, readString, readUint } from './json-reader.ts';

/** Ours: what an agent must know of a configured remote even while that remote's leased keys are gone. */
export interface ConfiguredCluster {
  /** The id last accepted: it tells which kernel rows are the cluster's, and must not be pruned. 0: none accepted yet. */
  id: number;
  /** CAs of its certificates, PEM: by them agents know its nodes. Empty: not known. */
  caBundle: string;
}

const MAX_BYTES = 64 * 1024;

/** Reads the value of `cilium/cache/isthmus/clusters/v1/<cluster>`. */
export function decodeConfiguredCluster(bytes: Uint8Array): Decoded<ConfiguredCluster> {
  if (bytes.length > MAX_BYTES) return { ok: false, reason: 'too-large' };
  return rejecting(() => {
    const object = readJsonObject(bytes);
    return { id: readUint(object, 'id', 511), caBundle: readString(object, 'caBundle') };
  });
}

/** Writes it: `{"id":3}`, with `caBundle` where there is one. */
export function encodeConfiguredCluster(cluster: ConfiguredCluster): string {
  return goJson({ id: cluster.id, caBundle: cluster.caBundle || undefined });
}
