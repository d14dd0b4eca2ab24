import { type Cancel, type Clock, LOCAL_SCOPE, type TableWriter } from '@isthmus/core';
import type { LinkLocalNeighbour } from '@isthmus/datapath';
import type { BgpGatewayRow } from './bgp-tables.ts';

/** How often it is looked who is there, in milliseconds: while some neighbour is not known, and once all are. */
const LOOK_MS = { unknown: 1_000, known: 10_000 } as const;
/** How often neighbours are told of this node, in milliseconds; not below the 3 s of RFC 4861 §10 (MIN_DELAY_BETWEEN_RAS). */
const ANNOUNCE_MS = { unknown: 4_000, known: 10_000 } as const;

/** The links of this node. */
export interface LinkPort {
  /** Tells neighbours on an interface of this node, and asks them who they are where `ask` says so. @throws CodedError */
  announce(device: string, ask: boolean): void;
  /** Neighbours with link-local addresses; none where there is no such interface. @throws CodedError */
  neighbours(device: string): readonly LinkLocalNeighbour[];
}

/** What {@link LinkNeighbours} works with. */
export interface LinkNeighboursOptions {
  /** Interfaces whose neighbour is to be a peer. */
  readonly devices: () => ReadonlySet<string>;
  readonly link: LinkPort;
  /** Where neighbours are written to. Key: the interface. */
  readonly writer: TableWriter<BgpGatewayRow>;
  readonly clock: Clock;
  /** An interface does not work; told once until it does again. */
  readonly onFailed: (device: string, error: unknown) => void;
}

/**
 * Finds out who is at the other end of interfaces whose peer has no configured address. It takes one neighbour for granted: where a link has
 * several, the first router counts, and who was chosen stays as long as he is there.
 */
export class LinkNeighbours {
  readonly #options: LinkNeighboursOptions;
  readonly #announced = new Map<string, number>();
  readonly #failing = new Set<string>();
  #cancel: Cancel | undefined;
  #devices = '';
  #running = false;

  constructor(options: LinkNeighboursOptions) {
    this.#options = options;
    options.writer.synced(LOCAL_SCOPE);
  }

  /** Some interface has no neighbour yet. */
  get waiting(): boolean {
    const { devices, writer } = this.#options;
    return [...devices()].some((device) => !writer.table.has(device));
  }

  /** Works until {@link stop}. */
  start(): void {
    this.#running = true;
    this.#look();
  }

  /** Other interfaces may be wanted now. */
  changed(): void {
    if (!this.#running || [...this.#options.devices()].sort().join() === this.#devices) return;
    this.#after(0);
  }

  /** Tells and looks no more. */
  stop(): void {
    this.#running = false;
    this.#cancel?.();
  }

  #look(): void {
    const devices = this.#options.devices();
    this.#devices = [...devices].sort().join();
    const { writer } = this.#options;
    for (const [device] of writer.table.rows()) if (!devices.has(device)) writer.delete(device);
    for (const device of devices) this.#attend(device);
    if (devices.size > 0) this.#after(this.waiting ? LOOK_MS.unknown : LOOK_MS.known);
  }

  /** An interface that does not work keeps its neighbour: it may be another one when it works again, and that is seen then. */
  #attend(device: string): void {
    const { link, writer, onFailed } = this.#options;
    try {
      const known = writer.table.get(device)?.address.split('%')[0];
      this.#announce(device, known === undefined);
      const found = chosen(link.neighbours(device), known);
      if (found !== undefined && found !== known) writer.put(device, { address: `${found}%${device}` });
      this.#failing.delete(device);
    } catch (error) {
      if (!this.#failing.has(device)) onFailed(device, error);
      this.#failing.add(device);
    }
  }

  #announce(device: string, ask: boolean): void {
    const { clock, link } = this.#options;
    const last = this.#announced.get(device);
    if (last !== undefined && clock.now() - last < (ask ? ANNOUNCE_MS.unknown : ANNOUNCE_MS.known)) return;
    link.announce(device, ask);
    this.#announced.set(device, clock.now());
  }

  #after(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#options.clock.after(ms, () => this.#look());
  }
}

/** Who was chosen before, the first router, or the first of all. */
function chosen(neighbours: readonly LinkLocalNeighbour[], known: string | undefined): string | undefined {
  return (neighbours.find(({ ip }) => ip === known) ?? neighbours.find(({ router }) => router) ?? neighbours[0])?.ip;
}
