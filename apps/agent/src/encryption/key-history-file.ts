import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { StateFolder } from '../state/state-folder.ts';
import type { PastKey } from './key-history.ts';

const FILE = 'key-history.json';

const schema = z.array(z.object({ epoch: z.number(), fingerprint: z.string(), madeAt: z.string(), goneAt: z.string().nullable() }));

/** A node's past keys as a file, for the agent after this one. It ends with the machine, as the keys do. */
export class KeyHistoryFile {
  readonly #state: StateFolder;

  constructor(state: StateFolder) {
    this.#state = state;
  }

  /** Nothing where there is none, or it is broken: then the past begins anew. */
  load(): readonly PastKey[] {
    try {
      return schema.parse(JSON.parse(readFileSync(join(this.#state.path, FILE), 'utf8')));
    } catch {
      return [];
    }
  }

  /** @throws CodedError STATE_NOT_SAVED */
  save(keys: readonly PastKey[]): void {
    this.#state.write(FILE, JSON.stringify(keys), 'until the machine ends');
  }
}
