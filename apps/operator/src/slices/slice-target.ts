import { CodedError, type FoundEntry, LOCAL_SCOPE, type SinkFailures, type SinkRow, type SinkTarget } from '@isthmus/core';
import { ENDPOINT_SLICE, type EndpointSlice, type ResourceStore } from '@isthmus/model';
import { SLICE_FOREIGN } from '../operator.errors.ts';
import { rowByRow } from '../sinks/row-by-row.ts';
import { OPERATOR_NAME, SLICE_MANAGED_BY, SLICE_SERVICE } from './slice-labels.ts';
import type { SliceRow } from './slice-row.ts';

/** Writes EndpointSlices. Those of others are neither written nor removed. */
export class SliceTarget implements SinkTarget<SliceRow> {
  readonly #resources: ResourceStore;

  constructor(resources: ResourceStore) {
    this.#resources = resources;
  }

  update(rows: readonly SinkRow<SliceRow>[]): Promise<SinkFailures> {
    // Further slices of a service first: endpoints that move to one are there before they leave the other.
    const ordered = [...rows].sort((a, b) => (a.key < b.key ? 1 : -1));
    return rowByRow(
      ordered.map(({ key, row }) => ({ key, item: row })),
      (row) => this.#write(row),
    );
  }

  delete(keys: readonly string[]): Promise<SinkFailures> {
    return rowByRow(
      keys.map((key) => ({ key, item: key })),
      (key) => this.#remove(key),
    );
  }

  async *entries(): AsyncIterable<readonly FoundEntry[]> {
    const slices = await this.#resources.list(ENDPOINT_SLICE);
    yield slices.filter(isOurs).map(({ metadata }) => ({ key: `${metadata.namespace}/${metadata.name}`, scope: LOCAL_SCOPE }));
  }

  async #write(row: SliceRow): Promise<void> {
    await this.#resources.update(ENDPOINT_SLICE, row.name, row.namespace, (current) => {
      if (current && !isOurs(current)) throw foreign(row, current);
      return sliceObject(row, current);
    });
  }

  async #remove(key: string): Promise<void> {
    const slash = key.indexOf('/');
    const [namespace, name] = [key.slice(0, slash), key.slice(slash + 1)];
    const current = await this.#resources.get(ENDPOINT_SLICE, name, namespace);
    if (current && isOurs(current)) await this.#resources.delete(ENDPOINT_SLICE, name, namespace);
  }
}

function isOurs({ metadata }: EndpointSlice): boolean {
  return metadata.labels?.[SLICE_MANAGED_BY] === OPERATOR_NAME;
}

function foreign({ namespace, name, service }: SliceRow, current: EndpointSlice): CodedError {
  const owner = current.metadata.labels?.[SLICE_MANAGED_BY] ?? 'nobody';
  const object = `EndpointSlice ${namespace}/${name}`;
  return new CodedError(SLICE_FOREIGN, `${object} for service ${service} is there already, managed by ${owner}`, { object });
}

function sliceObject(row: SliceRow, current: EndpointSlice | undefined): EndpointSlice {
  const { namespace, name, service, serviceUid, serviceLabels, family } = row;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...current?.metadata,
      namespace,
      name,
      labels: {
        ...serviceLabels,
        ...(row.headless && { 'service.kubernetes.io/headless': '' }),
        [SLICE_SERVICE]: service,
        [SLICE_MANAGED_BY]: OPERATOR_NAME,
      },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: service, uid: serviceUid, controller: true, blockOwnerDeletion: true }],
    },
    addressType: family === 4 ? 'IPv4' : 'IPv6',
    endpoints: row.endpoints.map(({ ip, ready, serving, terminating, nodeName, pod, podUid, hostname }) => ({
      addresses: [ip],
      conditions: { ready, serving, terminating },
      ...(hostname && { hostname }),
      ...(nodeName && { nodeName }),
      targetRef: { kind: 'Pod', namespace, name: pod, uid: podUid },
    })),
    ports: row.ports.map(({ name, protocol, port }) => ({ name, protocol: protocol as 'TCP', port })),
  };
}
