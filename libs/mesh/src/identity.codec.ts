import { type Decoded, decoding, type RecordContext, reject } from './decode-result.ts';
import { compareBytes } from './go-json.ts';
import { intern } from './intern.ts';
import { readText } from './json-reader.ts';
import { identityRange, inIdentityRange } from './numeric-identity.ts';

/** Source of labels that come from Kubernetes. */
export const LABEL_SOURCE_K8S = 'k8s';
/** Key of the label that every pod identity carries: the name of its cluster. */
export const LABEL_CLUSTER = 'io.cilium.k8s.policy.cluster';

/** The labels behind a numeric identity: `cilium/state/identities/v1/id/<id>`. */
export interface IdentityRecord {
  /** The numeric identity, cluster bits included. */
  id: number;
  /** `source:key=value` each, in the order of the keys' bytes; no two have the same key. */
  labels: readonly string[];
}

const MAX_BYTES = 64 * 1024;

/** Source, key and value of one label in text. */
export interface LabelParts {
  source: string;
  key: string;
  value: string;
}

/** Takes `source:key=value` apart; a label without `=` has the value `''`. Undefined when source or key is missing. */
export function splitLabel(label: string): LabelParts | undefined {
  const colon = label.indexOf(':');
  if (colon <= 0) return undefined;
  const equals = label.indexOf('=', colon);
  const end = equals < 0 ? label.length : equals;
  if (end === colon + 1) return undefined;
  return { source: label.slice(0, colon), key: label.slice(colon + 1, end), value: equals < 0 ? '' : label.slice(equals + 1) };
}

/** Reads an identity; the id must lie in the cluster's range and the labels must name that cluster. */
export function decodeIdentity(bytes: Uint8Array, context: RecordContext): Decoded<IdentityRecord> {
  return decoding(bytes, context, MAX_BYTES, () => {
    const id = readId(context);
    return { id, labels: readLabels(readText(bytes), context.cluster) };
  });
}

function readId(context: RecordContext): number {
  if (!/^[1-9][0-9]{0,9}$/.test(context.name)) return reject('bad-key');
  const id = Number(context.name);
  const range = identityRange(context.clusterId, context.maxConnectedClusters);
  return inIdentityRange(id, range) ? id : reject('foreign-identity');
}

function readLabels(text: string, cluster: string): string[] {
  const byKey = new Map<string, string>();
  for (const label of text.split(';')) {
    if (label === '') continue;
    const { source, key, value } = splitLabel(label) ?? reject('bad-label');
    byKey.set(key, intern(`${source}:${key}=${value}`));
  }
  if (byKey.get(LABEL_CLUSTER) !== `${LABEL_SOURCE_K8S}:${LABEL_CLUSTER}=${cluster}`) reject('foreign-cluster');
  return [...byKey.keys()].sort(compareBytes).map((key) => byKey.get(key)!);
}

/**
 * The labels as Cilium writes them: sorted by key, each ending in `;`. Also the key text under which identities are looked up by label.
 * @throws RangeError when a label is not `source:key=value`
 */
export function encodeLabels(labels: readonly string[]): string {
  const parts = labels.map((label) => {
    const part = splitLabel(label);
    if (part === undefined) throw new RangeError(`not a label of the form source:key=value: ${JSON.stringify(label)}`);
    return part;
  });
  parts.sort((a, b) => compareBytes(a.key, b.key));
  return parts.map(({ source, key, value }) => `${source}:${key}=${value};`).join('');
}

/** The value of an identity's key. */
export function encodeIdentity(identity: IdentityRecord): string {
  return encodeLabels(identity.labels);
}
