import type { Clock } from '@isthmus/core';
import type { CertificateFacts } from '@isthmus/crypto';
import { SerialQueue } from '../join/serial-queue.ts';

/** A certificate that this cluster gave to another one. Times are wall time in milliseconds since 1970. */
export interface IssuedCertificate {
  /** Common name, which is the user. */
  user: string;
  /** Lower-case hex. */
  serial: string;
  issuer: string;
  issuerKeyId: string;
  notBefore: number;
  notAfter: number;
  /** When it was withdrawn; absent: it was not. */
  revokedAt?: number;
}

/** Where the ledger is kept. */
export interface LedgerStore {
  read(): Promise<readonly IssuedCertificate[]>;
  write(entries: readonly IssuedCertificate[]): Promise<void>;
}

/**
 * Remembers which certificates other clusters have from this one: only so can they be withdrawn, and only so does this cluster know when they
 * end, for a server is not told why a client stays away. Forgotten is what has expired and says nothing any more.
 */
export class IssuedLedger {
  readonly #store: LedgerStore;
  readonly #clock: Clock;
  readonly #turn = new SerialQueue();
  #entries: readonly IssuedCertificate[] | undefined;

  constructor(store: LedgerStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Enters a certificate; one that is there is left as it is. */
  async record({ cn, serial, issuer, issuerKeyId, notBefore, notAfter }: CertificateFacts): Promise<void> {
    await this.#change((entries) =>
      entries.some((each) => each.serial === serial)
        ? entries
        : [...entries, { user: cn, serial, issuer, issuerKeyId, notBefore, notAfter }],
    );
  }

  /** What a user got, newest last. */
  async of(user: string): Promise<readonly IssuedCertificate[]> {
    return (await this.#all()).filter((each) => each.user === user);
  }

  /** Withdraws everything that a user has. @returns how many certificates would still have been good */
  async revoke(user: string): Promise<number> {
    const now = this.#clock.wall();
    let count = 0;
    await this.#change((entries) =>
      entries.map((each) => {
        if (each.user !== user || each.revokedAt !== undefined) return each;
        if (each.notAfter >= now) count++;
        return { ...each, revokedAt: now };
      }),
    );
    return count;
  }

  /** When a certificate was withdrawn; undefined when it was not. */
  async revokedAt(serial: string): Promise<number | undefined> {
    return (await this.#all()).find((each) => each.serial === serial)?.revokedAt;
  }

  /** Every certificate that is withdrawn and would still be good. */
  async revoked(): Promise<{ serial: string; at: number }[]> {
    const now = this.#clock.wall();
    return (await this.#all()).flatMap(({ serial, notAfter, revokedAt }) =>
      revokedAt !== undefined && notAfter >= now ? [{ serial, at: revokedAt }] : [],
    );
  }

  async #all(): Promise<readonly IssuedCertificate[]> {
    return await this.#turn.run(() => this.#read());
  }

  async #read(): Promise<readonly IssuedCertificate[]> {
    this.#entries ??= await this.#store.read();
    return this.#entries;
  }

  async #change(step: (entries: readonly IssuedCertificate[]) => readonly IssuedCertificate[]): Promise<void> {
    await this.#turn.run(async () => {
      const before = await this.#read();
      const after = this.#worthKeeping(step(before));
      if (after === before) return;
      await this.#store.write(after);
      this.#entries = after;
    });
  }

  /** The last certificate of a user is kept also when it has expired: it says since when, or that it was withdrawn before. */
  #worthKeeping(entries: readonly IssuedCertificate[]): readonly IssuedCertificate[] {
    const now = this.#clock.wall();
    const last = new Map(entries.map((each) => [each.user, each.serial]));
    const kept = entries.filter(({ user, serial, notAfter }) => notAfter >= now || last.get(user) === serial);
    return kept.length === entries.length ? entries : kept;
  }
}
