import type { Store, TableWriter } from '@isthmus/core';
import { DISCARD_PROTOCOL, LEARNED_ROUTE_PROTOCOL, LEARNED_SCOPE, type NetlinkEvent, ROUTE_PROTOCOL } from '@isthmus/datapath';

/** Who makes routes that lead to no next hop of BGP. */
const OURS: readonly number[] = [ROUTE_PROTOCOL, LEARNED_ROUTE_PROTOCOL, DISCARD_PROTOCOL];

/** What the source works with. */
export interface KernelRoutesOptions {
  readonly store: Store;
  readonly writer: TableWriter<true>;
  /** Prefixes of the learned routes that the kernel has now. */
  readonly list: () => Iterable<string>;
}

/** The source of what the kernel has of the learned routes: it refuses some, and drops them with the device that they lead over. */
export class KernelRoutes {
  readonly #options: KernelRoutesOptions;

  constructor(options: KernelRoutesOptions) {
    this.#options = options;
  }

  /** Reads all. */
  read(): void {
    const { store, writer, list } = this.#options;
    const there = new Set(list());
    store.transact(() => {
      for (const [prefix] of writer.table.rows()) if (!there.has(prefix)) writer.delete(prefix);
      for (const prefix of there) writer.put(prefix, true);
    });
    writer.synced(LEARNED_SCOPE);
  }

  /** Takes what the kernel told. @returns whether ways to next hops may be others than before */
  take(events: readonly NetlinkEvent[]): boolean {
    const { store, writer } = this.#options;
    // Routes over a device that goes down are dropped without a word.
    const isUnsure = events.some(({ kind }) => kind === 'link' || kind === 'lost');
    if (isUnsure) this.read();
    else {
      store.transact(() => {
        for (const event of events) {
          if (event.kind !== 'route' || event.route.protocol !== LEARNED_ROUTE_PROTOCOL) continue;
          if (event.gone) writer.delete(event.route.destination);
          else writer.put(event.route.destination, true);
        }
      });
    }
    return isUnsure || events.some(concernsNextHops);
  }
}

function concernsNextHops(event: NetlinkEvent): boolean {
  if (event.kind === 'route') return !OURS.includes(event.route.protocol);
  return event.kind === 'address';
}
