import { z } from 'zod';
import type { TokenRecord, TokenStore } from '../token/token-store.ts';
import { readIfPresent, writeFileAtomically } from './key-file.ts';

const FILE_FORM = z.array(
  z.object({
    id: z.string(),
    kind: z.enum(['cluster', 'node']),
    subject: z.string().exactOptional(),
    secretHash: z.string(),
    expires: z.number(),
    usedAt: z.number().exactOptional(),
  }),
);

/** Token records in one JSON file, 0600. For one process at a time; its own calls are done one after another. */
export class FileTokenStore implements TokenStore {
  readonly #path: string;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  async get(id: string): Promise<TokenRecord | undefined> {
    return (await this.list()).find((r) => r.id === id);
  }

  async put(record: TokenRecord): Promise<void> {
    await this.#change((records) => [...records.filter((r) => r.id !== record.id), record]);
  }

  async markUsed(id: string, at: number): Promise<boolean> {
    let marked = false;
    await this.#change((records) =>
      records.map((r) => {
        if (r.id !== id || r.usedAt !== undefined) return r;
        marked = true;
        return { ...r, usedAt: at };
      }),
    );
    return marked;
  }

  async list(): Promise<readonly TokenRecord[]> {
    return await this.#inTurn(() => this.#read());
  }

  async remove(id: string): Promise<void> {
    await this.#change((records) => records.filter((r) => r.id !== id));
  }

  async #change(step: (records: readonly TokenRecord[]) => readonly TokenRecord[]): Promise<void> {
    await this.#inTurn(async () => {
      const next = step(await this.#read());
      await writeFileAtomically(this.#path, `${JSON.stringify(next, null, 1)}\n`, 0o600);
    });
  }

  async #read(): Promise<readonly TokenRecord[]> {
    const text = await readIfPresent(this.#path);
    return text === undefined ? [] : FILE_FORM.parse(JSON.parse(text));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
