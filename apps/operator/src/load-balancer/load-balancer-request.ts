import { input, type Store, type Table } from '@isthmus/core';
import { matchesSelector, SERVICE_NAME_LABEL, SERVICE_NAMESPACE_LABEL } from '@isthmus/model';
import type { Family } from '@isthmus/net';
import type { OperatorServiceRow } from '../slices/service-row.ts';
import { type AddressBlock, conflictOf, type LoadBalancerPoolRow } from './load-balancer-pool.ts';
import type { LoadBalancerWish } from './load-balancer-wish.ts';

/** A pool as one service sees it. */
export interface PoolChoice {
  readonly name: string;
  /** New addresses are given out of it. */
  readonly open: boolean;
  readonly blocks: readonly AddressBlock[];
}

/** A service of which LB-IPAM takes care. Key: `<namespace>/<name>`. */
export interface LoadBalancerRequest extends LoadBalancerWish {
  readonly namespace: string;
  readonly name: string;
  /** Families to give, in the service's order. */
  readonly families: readonly Family[];
  /** Pools that select it, by name. */
  readonly pools: readonly PoolChoice[];
}

const ALL = 'all';

/**
 * Declares the table of services that want, or had, an address of a load balancer. As long as there are no pools, services that we never
 * gave anything are left alone: somebody else may do this work.
 * @param defaults families of services that leave them open
 */
export function declareLoadBalancerRequests(
  store: Store,
  services: Table<OperatorServiceRow>,
  pools: Table<LoadBalancerPoolRow>,
  defaults: readonly Family[],
): Table<LoadBalancerRequest> {
  const candidates = services.index('load balancers', ({ loadBalancer }) => (loadBalancer ? [ALL] : []));
  const rows = (): LoadBalancerPoolRow[] => [...pools.rows()].map(([, row]) => row);
  return store.derive<LoadBalancerRequest>({
    name: 'load-balancer-requests',
    inputs: [input(services, (key) => [key]), input(pools, () => candidates.get(ALL))],
    compute: (key) => {
      const service = services.get(key);
      if (!service?.loadBalancer || (pools.size === 0 && !service.loadBalancer.told)) return undefined;
      const { namespace, name, loadBalancer } = service;
      return { ...loadBalancer, namespace, name, families: familiesOf(service, defaults), pools: choices(service, rows()) };
    },
  });
}

function choices({ namespace, name, labels }: OperatorServiceRow, pools: readonly LoadBalancerPoolRow[]): PoolChoice[] {
  const seen = { ...labels, [SERVICE_NAMESPACE_LABEL]: namespace, [SERVICE_NAME_LABEL]: name };
  return pools
    .filter(({ selector }) => selector === undefined || matchesSelector(selector, seen))
    .map((pool) => ({ name: pool.name, open: !pool.disabled && conflictOf(pool, pools) === undefined, blocks: pool.blocks }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function familiesOf({ families, singleStack }: OperatorServiceRow, defaults: readonly Family[]): readonly Family[] {
  const wanted = families.length > 0 ? families : defaults;
  return singleStack ? wanted.slice(0, 1) : wanted;
}
