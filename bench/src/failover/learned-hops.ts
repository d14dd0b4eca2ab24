import { LEARNED_ROUTE_PROTOCOL, type NetlinkEvent, type Route } from '@isthmus/datapath';

/** Which devices the learned routes of a node lead over, kept up to date by what its kernel tells. */
export class LearnedHops {
  /** Indexes of devices, by prefix. */
  readonly #devices = new Map<string, readonly number[]>();

  /** @param routes those that there are; others than learned ones do not count */
  constructor(routes: Iterable<Route>) {
    for (const route of routes) this.#take(route, false);
  }

  /** Number of learned routes. */
  get size(): number {
    return this.#devices.size;
  }

  /** Takes what the kernel told. @throws Error when something was lost on the way: what is known may be wrong then */
  take(events: readonly NetlinkEvent[]): void {
    for (const event of events) {
      if (event.kind === 'lost') throw new Error('the kernel told more of routes than could be read');
      if (event.kind === 'route') this.#take(event.route, event.gone);
    }
  }

  /** Whether any learned route leads over one of these devices. */
  isOver(devices: readonly number[]): boolean {
    return [...this.#devices.values()].some((hops) => devices.some((device) => hops.includes(device)));
  }

  /** Whether there are so many learned routes, each over all of these devices. */
  areWhole(routes: number, devices: readonly number[]): boolean {
    return this.size === routes && [...this.#devices.values()].every((hops) => devices.every((device) => hops.includes(device)));
  }

  /** All of them, for people. */
  toString(): string {
    return [...this.#devices].map(([prefix, devices]) => `${prefix} over ${devices.join(' and ')}`).join(', ');
  }

  #take({ protocol, destination, hops, device }: Route, gone: boolean): void {
    if (protocol !== LEARNED_ROUTE_PROTOCOL) return;
    const devices = (hops ?? [{ device }]).flatMap((hop) => hop.device ?? []);
    if (gone) this.#devices.delete(destination);
    else this.#devices.set(destination, devices);
  }
}
