import { readIfPresent, writeFileAtomically } from '@isthmus/crypto';
import { z } from 'zod';
import type { IssuedCertificate, LedgerStore } from '../issued-ledger.ts';

const FILE_FORM = z.array(
  z.object({
    user: z.string(),
    serial: z.string(),
    issuer: z.string(),
    issuerKeyId: z.string(),
    notBefore: z.number(),
    notAfter: z.number(),
    revokedAt: z.number().exactOptional(),
  }),
);

/** The ledger in one JSON file, 0600. For one process. */
export class FileLedgerStore implements LedgerStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<readonly IssuedCertificate[]> {
    const text = await readIfPresent(this.#path);
    return text === undefined ? [] : FILE_FORM.parse(JSON.parse(text));
  }

  async write(entries: readonly IssuedCertificate[]): Promise<void> {
    await writeFileAtomically(this.#path, `${JSON.stringify(entries, null, 1)}\n`, 0o600);
  }
}
