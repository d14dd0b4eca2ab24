import { input, type Store, type Table } from '@isthmus/core';
import type { EndpointRow } from '@isthmus/model';

/** An address of a pod of this node, as the mesh is told. Key: the address. */
export interface PublishedIpRow {
  readonly hostIp: string;
  readonly identity: number;
  readonly namespace: string;
  readonly pod: string;
}

/** What a pod's status says. Key: `<namespace>/<name>`. */
export interface PodStatusRow {
  readonly podIps: readonly string[];
  readonly hostIp: string;
}

/** Declares the table of this node's address records: pods that have an identity. */
export function declarePublishedIps(store: Store, endpoints: Table<EndpointRow>, hostIp: string): Table<PublishedIpRow> {
  const at = endpoints.index('address', addressesOf);
  return store.derive<PublishedIpRow>({
    name: 'published-ips',
    inputs: [input(endpoints, (_key, row, before) => [...(row ? addressesOf(row) : []), ...(before ? addressesOf(before) : [])])],
    compute: (ip) => {
      const [key] = at.get(ip);
      const row = key === undefined ? undefined : endpoints.get(key);
      return row && row.identity !== 0 ? { hostIp, identity: row.identity, namespace: row.namespace, pod: row.pod } : undefined;
    },
  });
}

/** Declares the table of pod statuses that this node writes. */
export function declarePodStatuses(store: Store, endpoints: Table<EndpointRow>, hostIp: string): Table<PodStatusRow> {
  const name = (row: EndpointRow): string => `${row.namespace}/${row.pod}`;
  const at = endpoints.index('pod', (row) => [name(row)]);
  return store.derive<PodStatusRow>({
    name: 'pod-statuses',
    inputs: [input(endpoints, (_key, row, before) => [row, before].flatMap((each) => (each ? [name(each)] : [])))],
    compute: (pod) => {
      // Newest by number: while a pod is made anew under the same name, its former container may still be going.
      const rows = [...at.get(pod)].map((key) => endpoints.get(key) as EndpointRow).sort((a, b) => b.id - a.id);
      const row = rows.find((each) => each.identity !== 0);
      return row && { podIps: addressesOf(row), hostIp };
    },
  });
}

function addressesOf(row: EndpointRow): string[] {
  return [row.ipv4, row.ipv6].filter((ip) => ip !== '');
}
