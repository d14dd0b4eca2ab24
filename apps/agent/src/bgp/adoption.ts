import { type Cancel, type Clock, LOCAL_SCOPE } from '@isthmus/core';
import type { BgpSpeakers } from './bgp-speakers.ts';
import type { BgpTables } from './bgp-tables.ts';

/** How long what an earlier run learned waits for peers to confirm it, in milliseconds: the restart time that peers have unless told. */
const ADOPTION_MS = 120_000;

/** What an {@link Adoption} looks at. */
export interface AdoptionOptions {
  readonly tables: Pick<BgpTables, 'speakers' | 'peers'>;
  readonly running: BgpSpeakers['running'];
  /** Peers may be missing whose addresses are not found yet. */
  readonly isWaiting: () => boolean;
  readonly clock: Clock;
  /** It is over. */
  readonly onComplete: () => void;
}

/**
 * What was adopted of an earlier run goes once every peer has said all that it has, or has had the time to. While it is not known which peers there
 * are, because nobody tells, all of it stays.
 */
export class Adoption {
  readonly #options: AdoptionOptions;
  #cancelDeadline: Cancel | undefined;
  #complete = false;

  constructor(options: AdoptionOptions) {
    this.#options = options;
  }

  /** A session, or what is configured, is another than before. */
  check(): void {
    const { tables, clock } = this.#options;
    if (this.#complete || !tables.peers.scopes.isSynced(LOCAL_SCOPE)) return;
    this.#cancelDeadline ??= clock.after(ADOPTION_MS, () => this.#end());
    if (this.#allSaid()) this.#end();
  }

  /** Leaves things as they are. */
  stop(): void {
    this.#cancelDeadline?.();
  }

  #end(): void {
    this.#complete = true;
    this.#cancelDeadline?.();
    this.#options.onComplete();
  }

  #allSaid(): boolean {
    const { tables, running, isWaiting } = this.#options;
    if (isWaiting()) return false;
    for (const [name] of tables.speakers.rows()) if (!running.has(name)) return false;
    for (const [, peer] of tables.peers.rows()) {
      const all = running.get(peer.instance)?.speaker.status() ?? [];
      const status = all.find(({ address }) => address === peer.address);
      if (status?.state !== 'established' || status.families?.some((family) => !status.complete.includes(family))) return false;
    }
    return true;
  }
}
