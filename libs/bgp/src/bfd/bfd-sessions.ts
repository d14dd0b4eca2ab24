import type { BfdReport } from './bfd-report.ts';
import { type BfdPath, type BfdSessionConfig, pathKey } from './bfd-settings.ts';
import { countDrop, type DropCounts, readControlPacket } from './reception.ts';
import { type BfdContext, WantedSession } from './wanted-session.ts';

/** What sessions are made of, and who hears of them. */
export interface BfdSessionsOptions extends BfdContext {
  /** The state of a session or of its peer is another one, or there is no socket for it, or there is one again. */
  readonly onState: (report: BfdReport) => void;
}

/** All sessions of a machine, made equal to a list; finds the session of each packet (RFC 5880 §6.3). */
export class BfdSessions {
  readonly #options: BfdSessionsOptions;
  readonly #byKey = new Map<string, WantedSession>();
  readonly #byDiscriminator = new Map<number, WantedSession>();
  readonly #byPath = new Map<string, WantedSession>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #dropped: DropCounts = {};

  constructor(options: BfdSessionsOptions) {
    this.#options = options;
    options.transport.receiver((bytes, path) => this.#receive(bytes, path));
  }

  /** Packets that could not be told to be any session's, by reason. */
  get dropped(): Readonly<DropCounts> {
    return this.#dropped;
  }

  /** Makes the sessions those of the list. Of two of one path the first counts. @returns keys of those that did not */
  set(wanted: readonly BfdSessionConfig[]): string[] {
    const next = new Map<string, BfdSessionConfig>();
    const paths = new Set<string>();
    const twice: string[] = [];
    for (const config of wanted) {
      if (next.has(config.key) || paths.has(pathKey(config))) twice.push(config.key);
      else next.set(config.key, config);
      paths.add(pathKey(config));
    }
    for (const [key, session] of this.#byKey) {
      const config = next.get(key);
      if (config === undefined || pathKey(config) !== session.path) void this.#remove(key, session);
    }
    for (const config of next.values()) {
      const there = this.#byKey.get(config.key);
      if (there === undefined) this.#add(config);
      else there.configure(config);
    }
    return twice;
  }

  /** All sessions, in the order in which they came. */
  reports(): BfdReport[] {
    return [...this.#byKey.values()].map((session) => session.report());
  }

  /** Tells all peers that the end is wanted. */
  async stop(): Promise<void> {
    for (const [key, session] of this.#byKey) void this.#remove(key, session);
    await Promise.all(this.#leaving);
  }

  #add(config: BfdSessionConfig): void {
    const discriminator = this.#freeDiscriminator();
    const session: WantedSession = new WantedSession(config, discriminator, this.#options, () => {
      // One that is not wanted any more is on its way out, and its name may be another's.
      if (this.#byKey.get(config.key) === session) this.#options.onState(session.report());
    });
    this.#byKey.set(config.key, session);
    this.#byDiscriminator.set(discriminator, session);
    this.#byPath.set(session.path, session);
    session.start();
  }

  #remove(key: string, session: WantedSession): Promise<void> {
    this.#byKey.delete(key);
    this.#byPath.delete(session.path);
    const left = new Promise<void>((resolve) => session.leave(resolve)).then(() => {
      this.#byDiscriminator.delete(session.session.discriminator);
      this.#leaving.delete(left);
    });
    this.#leaving.add(left);
    return left;
  }

  /** Random, so that a stranger cannot guess it and a peer does not take a new session for an old one; never zero. */
  #freeDiscriminator(): number {
    for (;;) {
      const candidate = Math.floor(this.#options.random() * 2 ** 32);
      if (candidate !== 0 && !this.#byDiscriminator.has(candidate)) return candidate;
    }
  }

  #receive(bytes: Uint8Array, path: BfdPath): void {
    const packet = readControlPacket(bytes);
    const place = pathKey(path);
    if (typeof packet === 'string') {
      const session = this.#byPath.get(place);
      if (session === undefined) countDrop(this.#dropped, packet);
      else session.drop(packet);
      return;
    }
    const mine = packet.yourDiscriminator;
    const session = mine === 0 ? this.#byPath.get(place) : this.#byDiscriminator.get(mine);
    if (session === undefined) countDrop(this.#dropped, 'no-session');
    else if (session.path !== place) session.drop('path');
    else session.receive(packet);
  }
}
