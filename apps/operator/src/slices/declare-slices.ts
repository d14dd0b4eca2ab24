import { input, type Store, type Table } from '@isthmus/core';
import type { Family } from '@isthmus/net';
import type { PodRow } from './pod-row.ts';
import type { OperatorServiceRow } from './service-row.ts';
import { type SliceRow, slicesOf } from './slice-row.ts';

/** Declares the table of all slices that should be: services joined with the pods that they select. */
export function declareSlices(
  store: Store,
  services: Table<OperatorServiceRow>,
  pods: Table<PodRow>,
  defaults: readonly Family[],
): Table<SliceRow> {
  const podsByLabel = pods.index('namespace and label', (pod) =>
    Object.entries(pod.labels).map(([key, value]) => label(pod.namespace, key, value)),
  );
  // By the first pair alone: it is enough to find the few services that may select a pod.
  const servicesBySelector = services.index('namespace and first selector', ({ namespace, selector: [first] }) =>
    first ? [label(namespace, first[0], first[1])] : [],
  );

  function* selecting(pod: PodRow | undefined): Iterable<string> {
    if (!pod) return;
    for (const [key, value] of Object.entries(pod.labels)) yield* servicesBySelector.get(label(pod.namespace, key, value));
  }

  function selected({ namespace, selector }: OperatorServiceRow): PodRow[] {
    const [first] = selector;
    if (!first) return [];
    const candidates = [...podsByLabel.get(label(namespace, first[0], first[1]))].flatMap((key) => pods.get(key) ?? []);
    return candidates.filter(({ labels }) => selector.every(([key, value]) => labels[key] === value));
  }

  const sets = store.derive<readonly SliceRow[]>({
    name: 'endpointslice-sets',
    inputs: [input(services, (key) => [key]), input(pods, (_, row, before) => [...selecting(row), ...selecting(before)])],
    compute: (key) => {
      const service = services.get(key);
      return service && service.selector.length > 0 ? slicesOf(service, selected(service), defaults) : undefined;
    },
  });
  const setOf = sets.index('slice', (slices) => slices.map(sliceKey));
  return store.derive<SliceRow>({
    name: 'endpointslices',
    inputs: [input(sets, (_, row = [], before = []) => [...row, ...before].map(sliceKey))],
    compute: (key) => {
      for (const set of setOf.get(key)) return sets.get(set)?.find((slice) => sliceKey(slice) === key);
      return undefined;
    },
  });
}

function label(namespace: string, key: string, value: string): string {
  return `${namespace}/${key}=${value}`;
}

function sliceKey({ namespace, name }: SliceRow): string {
  return `${namespace}/${name}`;
}
