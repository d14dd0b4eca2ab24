import { createHash, timingSafeEqual } from 'node:crypto';
import { type Clock, CodedError } from '@isthmus/core';
import { TOKEN_EXPIRED, TOKEN_KIND, TOKEN_UNKNOWN, TOKEN_USED } from './token.errors.ts';
import type { TokenKind, TokenRecord, TokenStore } from './token-store.ts';
import { formatToken, parseToken } from './token-text.ts';

/** Life of a token unless the issuer says otherwise, in milliseconds. */
export const TOKEN_TTL_MS = 10 * 60_000;

/** Spent and expired records are kept this long, so that a second use is told from an unknown token. Milliseconds. */
export const TOKEN_MEMORY_MS = 24 * 60 * 60_000;

/** Gives that many unpredictable bytes. */
export type RandomBytes = (length: number) => Uint8Array;

/** What a ledger works with. */
export interface TokenLedgerOptions {
  store: TokenStore;
  clock: Clock;
  randomBytes: RandomBytes;
  /** Pin of the CA that holders of new tokens may believe. */
  caPin: () => string;
}

/** What a token is issued for; `ttl` in milliseconds, {@link TOKEN_TTL_MS} unless given. */
export interface TokenOrder {
  kind: TokenKind;
  subject?: string;
  ttl?: number;
}

/** Who is about to use a token: the kind of use, and the cluster's or node's name. */
export interface TokenUse {
  kind: TokenKind;
  subject: string;
}

/** Issues one-time tokens and sees that each is used once. Only hashes are kept. */
export class TokenLedger {
  readonly #options: TokenLedgerOptions;

  constructor(options: TokenLedgerOptions) {
    this.#options = options;
  }

  /** Makes a token. Its text is returned this one time and cannot be had again. */
  async issue(order: TokenOrder): Promise<{ text: string; record: TokenRecord }> {
    const { clock, randomBytes, store, caPin } = this.#options;
    await this.#forgetOld();
    const id = Buffer.from(randomBytes(8)).toString('hex');
    const secret = Buffer.from(randomBytes(32)).toString('base64url');
    const expires = clock.wall() + (order.ttl ?? TOKEN_TTL_MS);
    const subject = order.subject === undefined ? {} : { subject: order.subject };
    const record: TokenRecord = { id, kind: order.kind, ...subject, secretHash: hash(secret), expires };
    await store.put(record);
    return { text: formatToken({ id, secret, caPin: caPin() }), record };
  }

  /**
   * Finds out which token a text is. Says nothing about whether it may still be used: that is {@link check}.
   * @throws CodedError TOKEN_UNKNOWN
   */
  async identify(text: string): Promise<TokenRecord> {
    const { id, secret } = parseToken(text);
    const record = await this.#options.store.get(id);
    const stored = Buffer.from(record?.secretHash ?? hash(''), 'hex');
    const same = timingSafeEqual(stored, Buffer.from(hash(secret), 'hex'));
    if (!record || !same) throw new CodedError(TOKEN_UNKNOWN, `token ${id} is not known here`, { object: id });
    return record;
  }

  /**
   * Checks that a token may be used for this; uses nothing up.
   * @throws CodedError TOKEN_USED, TOKEN_EXPIRED, TOKEN_KIND, TOKEN_UNKNOWN (removed meanwhile)
   */
  async check(id: string, use: TokenUse): Promise<void> {
    const record = await this.#options.store.get(id);
    if (!record) throw new CodedError(TOKEN_UNKNOWN, `token ${id} is not known here`, { object: id });
    if (record.kind !== use.kind) {
      throw new CodedError(TOKEN_KIND, `token ${id} is for a ${record.kind}, not for a ${use.kind}`, { object: id });
    }
    if (record.subject !== undefined && record.subject !== use.subject) {
      throw new CodedError(TOKEN_KIND, `token ${id} is for ${record.kind} ${record.subject}, not for ${use.subject}`, { object: id });
    }
    if (record.usedAt !== undefined) throw usedError(record);
    if (this.#options.clock.wall() >= record.expires) {
      throw new CodedError(TOKEN_EXPIRED, `token ${id} expired at ${new Date(record.expires).toISOString()}`, { object: id });
    }
  }

  /**
   * Uses a token up. Of several callers at the same moment exactly one succeeds.
   * @throws CodedError as {@link check}
   */
  async redeem(id: string, use: TokenUse): Promise<void> {
    await this.check(id, use);
    if (await this.#options.store.markUsed(id, this.#options.clock.wall())) return;
    throw usedError((await this.#options.store.get(id)) ?? { id });
  }

  async #forgetOld(): Promise<void> {
    const { clock, store } = this.#options;
    for (const record of await store.list()) {
      if (clock.wall() > record.expires + TOKEN_MEMORY_MS) await store.remove(record.id);
    }
  }
}

function usedError(record: Pick<TokenRecord, 'id' | 'usedAt'>): CodedError {
  const when = record.usedAt === undefined ? '' : ` at ${new Date(record.usedAt).toISOString()}`;
  return new CodedError(TOKEN_USED, `token ${record.id} was already used${when}`, { object: record.id });
}

function hash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
