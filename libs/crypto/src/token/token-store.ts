/** What a token lets its holder do once: join a cluster to this one, or get a node's first certificates. */
export type TokenKind = 'cluster' | 'node';

/** A token as it is kept: nothing here lets a reader use it. */
export interface TokenRecord {
  id: string;
  kind: TokenKind;
  /** The one cluster or node that may use it; anyone when absent. */
  subject?: string;
  /** SHA-256 of the secret, hex. */
  secretHash: string;
  /** Wall time in milliseconds since 1970. */
  expires: number;
  /** Wall time of its one use. */
  usedAt?: number;
}

/** Where token records are kept. Implementations survive a restart, or tokens are lost with the process. */
export interface TokenStore {
  get(id: string): Promise<TokenRecord | undefined>;
  put(record: TokenRecord): Promise<void>;
  /** Sets `usedAt` if it is not set. Atomic: of several callers exactly one gets true. */
  markUsed(id: string, at: number): Promise<boolean>;
  list(): Promise<readonly TokenRecord[]>;
  remove(id: string): Promise<void>;
}

/** A store that forgets with the process; for tests and short-lived tools. */
export class MemoryTokenStore implements TokenStore {
  readonly #records = new Map<string, TokenRecord>();

  async get(id: string): Promise<TokenRecord | undefined> {
    return this.#records.get(id);
  }

  async put(record: TokenRecord): Promise<void> {
    this.#records.set(record.id, record);
  }

  async markUsed(id: string, at: number): Promise<boolean> {
    const record = this.#records.get(id);
    if (!record || record.usedAt !== undefined) return false;
    this.#records.set(id, { ...record, usedAt: at });
    return true;
  }

  async list(): Promise<readonly TokenRecord[]> {
    return [...this.#records.values()];
  }

  async remove(id: string): Promise<void> {
    this.#records.delete(id);
  }
}
