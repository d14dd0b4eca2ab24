import { input, type Store, type Table } from '@isthmus/core';
import type { Family } from '@isthmus/net';
import type { OperatorServiceRow } from '../slices/service-row.ts';

/** A service that has no cluster IP and should. Key: `<namespace>/<name>`. */
export interface ClusterIpRequest {
  readonly namespace: string;
  readonly name: string;
  /** Families to give, in the service's order. */
  readonly families: readonly Family[];
}

/** Declares the table of services that lack cluster IPs. `configured`: the families that there is a service range for. */
export function declareClusterIpRequests(
  store: Store,
  services: Table<OperatorServiceRow>,
  configured: readonly Family[],
): Table<ClusterIpRequest> {
  return store.derive<ClusterIpRequest>({
    name: 'cluster-ip-requests',
    inputs: [input(services, (key) => [key])],
    compute: (key) => {
      const service = services.get(key);
      if (!service || service.headless || service.clusterIps.length > 0) return undefined;
      const families = wantedFamilies(service, configured);
      return families.length === 0 ? undefined : { namespace: service.namespace, name: service.name, families };
    },
  });
}

function wantedFamilies({ families, singleStack }: OperatorServiceRow, configured: readonly Family[]): readonly Family[] {
  const wanted = families.length > 0 ? families.filter((family) => configured.includes(family)) : configured;
  return singleStack ? wanted.slice(0, 1) : wanted;
}
