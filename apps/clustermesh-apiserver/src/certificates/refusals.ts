import type { Clock, CodedError } from '@isthmus/core';

/** Names beyond this many push out the oldest: anybody may claim any name. */
const MOST = 256;
/** What may be the common name of a peer's or a node's certificate. */
const PLAUSIBLE = /^(remote|agent)-[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/;

/** A caller whose certificate was not accepted. */
export interface Refusal {
  /** The common name that the certificate claims. */
  user: string;
  problem: CodedError;
  /** Wall time of the last time, milliseconds since 1970. */
  at: number;
  times: number;
}

/** Callers of the join API that were refused for their certificate, with the reason: the one place where a server learns both. */
export class Refusals {
  readonly #clock: Clock;
  readonly #byUser = new Map<string, Refusal>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Remembers that a caller was refused. Common names that nobody of the mesh has are passed over. */
  note(user: string, problem: CodedError): void {
    if (!PLAUSIBLE.test(user)) return;
    const times = (this.#byUser.get(user)?.times ?? 0) + 1;
    this.#byUser.delete(user); // the order of the map is that of the last refusal
    this.#byUser.set(user, { user, problem, at: this.#clock.wall(), times });
    if (this.#byUser.size > MOST) this.#byUser.delete(this.#byUser.keys().next().value as string);
  }

  /** The caller has shown something better. */
  clear(user: string): void {
    this.#byUser.delete(user);
  }

  of(user: string): Refusal | undefined {
    return this.#byUser.get(user);
  }

  list(): Refusal[] {
    return [...this.#byUser.values()];
  }
}
