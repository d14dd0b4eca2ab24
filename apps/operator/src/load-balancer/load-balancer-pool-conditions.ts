import { input, type Store, type Table } from '@isthmus/core';
import type { OperatorServiceRow } from '../slices/service-row.ts';
import { type Condition, problemCondition } from '../status/condition.ts';
import type { WantedConditions } from '../status/condition-target.ts';
import { conflictOf, hasAddress, type LoadBalancerPoolRow, spansOf } from './load-balancer-pool.ts';

const POOL_CONFLICT = 'cilium.io/PoolConflict';

/** An address that services have, and the pools that it is of. Key: the address. */
interface UsedAddress {
  readonly pools: readonly string[];
}

/** Declares the conditions of pools: whether they conflict, and how full they are. Key: the pool's name. */
export function declareLoadBalancerPoolConditions(
  store: Store,
  services: Table<OperatorServiceRow>,
  pools: Table<LoadBalancerPoolRow>,
): Table<WantedConditions> {
  const addresses = declareUsedAddresses(store, services, pools);
  const used = addresses.index('pool', (row) => row.pools);
  function* all(): Iterable<string> {
    for (const [name] of pools.rows()) yield name;
  }
  return store.derive<WantedConditions>({
    name: 'load-balancer-pool-conditions',
    inputs: [
      input(addresses, (_, row, before) => [row, before].flatMap((each) => each?.pools ?? [])),
      input(pools, (key) => [key, ...all()]),
    ],
    compute: (key) => {
      const pool = pools.get(key);
      if (!pool) return undefined;
      const rows = [...pools.rows()].map(([, row]) => row);
      const conflict = conflictOf(pool, rows);
      const message = `pool ${conflict?.name} is older and has addresses of this one, which gives out none`;
      const [total, taken] = [spansOf(pool.blocks).reduce((sum, { size }) => sum + size, 0n), BigInt(used.get(key).size)];
      const always = [
        problemCondition(POOL_CONFLICT, conflict !== undefined, message),
        count('cilium.io/IPsTotal', total),
        count('cilium.io/IPsAvailable', total - taken),
        count('cilium.io/IPsUsed', taken),
      ];
      return { always, ifPresent: [] };
    },
  });
}

/** One row for each address, so that a change of one service does not count all others again. */
function declareUsedAddresses(store: Store, services: Table<OperatorServiceRow>, pools: Table<LoadBalancerPoolRow>): Table<UsedAddress> {
  const holders = services.index('load balancer address', ({ loadBalancer }) => loadBalancer?.ips ?? []);
  return store.derive<UsedAddress>({
    name: 'load-balancer-addresses',
    inputs: [
      input(services, (_, row, before) => [row, before].flatMap((each) => each?.loadBalancer?.ips ?? [])),
      input(pools, () => holders.indexKeys()),
    ],
    compute: (ip) => {
      if (holders.get(ip).size === 0) return undefined;
      const of = [...pools.rows()].filter(([, { blocks }]) => hasAddress(blocks, ip)).map(([name]) => name);
      return { pools: of.sort() };
    },
  });
}

/** A number as Cilium tells it: neither true nor false, in the message. */
function count(type: string, value: bigint): Condition {
  return { type, status: 'Unknown', reason: 'noreason', message: String(value) };
}
