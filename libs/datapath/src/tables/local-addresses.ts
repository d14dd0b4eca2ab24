import { input, type Store, type Table } from '@isthmus/core';
import { type EndpointRow, type LocalAddressRow, RESERVED_IDENTITY } from '@isthmus/model';

/** An address of this node itself. Key of its table: the address, canonical text. */
export interface HostAddressRow {
  readonly ifindex: number;
}

/**
 * Declares the table of addresses that live on this node: its pods' and its own. A pod is ready once it has an identity. The node's own
 * addresses win: no pod can take them over.
 */
export function declareLocalAddresses(
  store: Store,
  endpoints: Table<EndpointRow>,
  hostAddresses: Table<HostAddressRow>,
): Table<LocalAddressRow> {
  const at = endpoints.index('address', addressesOf);
  return store.derive<LocalAddressRow>({
    name: 'local-addresses',
    inputs: [
      input(endpoints, (_key, row, before) => [...(row ? addressesOf(row) : []), ...(before ? addressesOf(before) : [])]),
      input(hostAddresses, (address) => [address]),
    ],
    compute: (address) => {
      const host = hostAddresses.get(address);
      if (host) return hostRow(host);
      const [key] = [...at.get(address)].sort();
      const endpoint = key === undefined ? undefined : endpoints.get(key);
      return endpoint && podRow(endpoint);
    },
  });
}

function addressesOf(row: EndpointRow): string[] {
  return [row.ipv4, row.ipv6].filter((ip) => ip !== '');
}

function hostRow(host: HostAddressRow): LocalAddressRow {
  return { endpoint: 0, ifindex: host.ifindex, identity: RESERVED_IDENTITY.host, mac: '', hostMac: '', ready: true, host: true };
}

function podRow(endpoint: EndpointRow): LocalAddressRow {
  return {
    endpoint: endpoint.id,
    ifindex: endpoint.ifindex,
    identity: endpoint.identity,
    mac: endpoint.mac,
    hostMac: endpoint.hostMac,
    ready: endpoint.identity !== RESERVED_IDENTITY.unknown,
    host: false,
  };
}
