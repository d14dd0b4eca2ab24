import { RESERVED_IDENTITY } from '@isthmus/model';

const RESERVED: ReadonlyMap<number, string> = new Map(
  Object.entries(RESERVED_IDENTITY).map(([name, id]) => [
    id,
    `reserved:${name.replace(/[A-Z0-9]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  ]),
);

/** Labels that say what every identity has, by the short names that people read. */
const SHORT: readonly (readonly [string, string])[] = [
  ['io.cilium.k8s.policy.cluster=', 'cluster='],
  ['io.kubernetes.pod.namespace=', 'namespace='],
  ['io.cilium.k8s.policy.serviceaccount=', 'serviceaccount='],
  ['io.cilium.k8s.namespace.labels.', 'namespace.labels.'],
];

/** Labels of the identities that mean the same everywhere; undefined for all others. */
export function reservedLabels(id: number): string | undefined {
  return RESERVED.get(id);
}

/** Splits `source:key=value;` text. */
export function splitLabels(labels: string): string[] {
  return labels.split(';').filter((label) => label !== '');
}

/** Labels short enough to read in a line: the source `k8s` goes, well-known keys are abbreviated, what everybody has comes last. */
export function shortLabels(labels: string): string {
  const short = splitLabels(labels).map(shorten);
  const own = short.filter((label) => !isCommon(label));
  return [...own, ...short.filter((label) => isCommon(label) && label !== 'serviceaccount=default')].join(' ');
}

function shorten(label: string): string {
  const plain = label.startsWith('k8s:') ? label.slice('k8s:'.length) : label;
  const rule = SHORT.find(([long]) => plain.startsWith(long));
  return rule ? rule[1] + plain.slice(rule[0].length) : plain;
}

function isCommon(label: string): boolean {
  return SHORT.some(([, short]) => label.startsWith(short));
}
