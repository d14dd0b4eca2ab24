import { input, type Store, type Table } from '@isthmus/core';
import type { OperatorServiceRow } from '../slices/service-row.ts';
import { type Condition, problemCondition } from '../status/condition.ts';
import type { WantedConditions } from '../status/condition-target.ts';
import { conflictOf, hasAddress, type LoadBalancerPoolRow, spansOf } from './load-balancer-pool.ts';

const POOL_CONFLICT = 'cilium.io/PoolConflict';

/** Declares the conditions of pools: whether they conflict, and how full they are. Key: the pool's name. */
export function declareLoadBalancerPoolConditions(
  store: Store,
  services: Table<OperatorServiceRow>,
  pools: Table<LoadBalancerPoolRow>,
): Table<WantedConditions> {
  const used = services.index('load balancer address', ({ loadBalancer }) => loadBalancer?.ips ?? []);
  function* all(): Iterable<string> {
    for (const [name] of pools.rows()) yield name;
  }
  const ipsOf = (row: OperatorServiceRow | undefined): string => (row?.loadBalancer?.ips ?? []).join();
  return store.derive<WantedConditions>({
    name: 'load-balancer-pool-conditions',
    inputs: [input(services, (_, row, before) => (ipsOf(row) === ipsOf(before) ? [] : all())), input(pools, (key) => [key, ...all()])],
    compute: (key) => {
      const pool = pools.get(key);
      if (!pool) return undefined;
      const rows = [...pools.rows()].map(([, row]) => row);
      const conflict = conflictOf(pool, rows);
      const taken = [...used.indexKeys()].filter((ip) => hasAddress(pool.blocks, ip)).length;
      const total = spansOf(pool.blocks).reduce((sum, { size }) => sum + size, 0n);
      const always = [
        problemCondition(
          POOL_CONFLICT,
          conflict !== undefined,
          `pool ${conflict?.name} is older and has addresses of this one, which gives out none`,
        ),
        count('cilium.io/IPsTotal', total),
        count('cilium.io/IPsAvailable', total - BigInt(taken)),
        count('cilium.io/IPsUsed', BigInt(taken)),
      ];
      return { always, ifPresent: [] };
    },
  });
}

/** A number as Cilium tells it: neither true nor false, in the message. */
function count(type: string, value: bigint): Condition {
  return { type, status: 'Unknown', reason: 'noreason', message: String(value) };
}
