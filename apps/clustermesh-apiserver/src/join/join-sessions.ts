import { type Cancel, type Clock, CodedError } from '@isthmus/core';
import type { ClusterOffer, RandomBytes } from '@isthmus/crypto';
import { JOIN_SESSION_UNKNOWN } from './join.errors.ts';
import { type Principal, principalKey } from './principal.ts';

/** A join must be finished within this time. Milliseconds. */
export const JOIN_SESSION_MS = 5 * 60_000;

/** One side's part in one join. Lives in memory only: what is not finished leaves nothing. */
export interface JoinSession {
  /** 32 random bytes, base64url. */
  id: string;
  peer: string;
  /** `first` gave its offer away and waits for the peer's; `second` has the peer's and waits for the last call. */
  role: 'first' | 'second';
  owner: string;
  /** Key of the certificate that the peer signs. */
  keyPem: string;
  /** The peer's offer; only as `second`. */
  offer?: ClusterOffer;
}

interface Kept {
  session: JoinSession;
  cancel: Cancel;
  /** This side has taken the peer on: the join may be undone, but not begun again. */
  done: boolean;
}

/** The joins under way: at most one per peer and role; a newer one takes the older one's place. */
export class JoinSessions {
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock, randomBytes: RandomBytes) {
    this.#clock = clock;
    this.#randomBytes = randomBytes;
  }

  /** Begins a join. */
  open(owner: Principal, part: Omit<JoinSession, 'id' | 'owner'>): JoinSession {
    const id = Buffer.from(this.#randomBytes(32)).toString('base64url');
    const session: JoinSession = { ...part, id, owner: principalKey(owner) };
    const key = keyOf(part.peer, part.role);
    this.#drop(key);
    this.#kept.set(key, { session, cancel: this.#clock.after(JOIN_SESSION_MS, () => this.#drop(key)), done: false });
    return session;
  }

  /**
   * The join that this caller began.
   * @throws CodedError JOIN_SESSION_UNKNOWN when there is none, it is over, or somebody else's
   */
  take(owner: Principal, peer: string, role: JoinSession['role']): JoinSession {
    const session = this.#kept.get(keyOf(peer, role))?.session;
    if (session?.owner === principalKey(owner)) return session;
    throw new CodedError(JOIN_SESSION_UNKNOWN, `no join with ${peer} is under way here for this caller`, { object: peer });
  }

  /** Says that this side has done its part. The caller may undo the join for as long as it could have finished it. */
  finish({ peer, role }: JoinSession): void {
    const kept = this.#kept.get(keyOf(peer, role));
    if (kept) kept.done = true;
  }

  /** True when this caller has a join with the peer under way, in either role, which may be repeated from its beginning. */
  isUnderWay(owner: Principal, peer: string): boolean {
    return this.#of(owner, peer).some(({ done }) => !done);
  }

  /** True when this caller began a join with the peer a moment ago, finished or not. */
  holds(owner: Principal, peer: string): boolean {
    return this.#of(owner, peer).length > 0;
  }

  /** Number of joins under way. */
  get size(): number {
    return this.#kept.size;
  }

  /** Ends everything that concerns a peer. */
  forget(peer: string): void {
    this.#drop(keyOf(peer, 'first'));
    this.#drop(keyOf(peer, 'second'));
  }

  /** Ends everything, so that no timer is left. */
  close(): void {
    for (const key of [...this.#kept.keys()]) this.#drop(key);
  }

  #of(owner: Principal, peer: string): Kept[] {
    const key = principalKey(owner);
    return (['first', 'second'] as const)
      .flatMap((role) => this.#kept.get(keyOf(peer, role)) ?? [])
      .filter(({ session }) => session.owner === key);
  }

  #drop(key: string): void {
    this.#kept.get(key)?.cancel();
    this.#kept.delete(key);
  }
}

function keyOf(peer: string, role: JoinSession['role']): string {
  return `${role}/${peer}`;
}
