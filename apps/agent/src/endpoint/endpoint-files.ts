import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { EndpointRow } from '@isthmus/model';

const SUFFIX = '.json';

/** Endpoints on disk: what an agent must know after a restart to go on as if nothing had happened. */
export class EndpointFiles {
  readonly #dir: string;

  constructor(stateDir: string) {
    this.#dir = join(stateDir, 'endpoints');
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
  }

  /** All saved endpoints. `onBroken` hears of files that are none; they are left where they are. */
  load(onBroken: (file: string, error: unknown) => void): EndpointRow[] {
    return readdirSync(this.#dir)
      .filter((name) => name.endsWith(SUFFIX))
      .flatMap((name) => {
        try {
          return [JSON.parse(readFileSync(join(this.#dir, name), 'utf8')) as EndpointRow];
        } catch (error) {
          onBroken(join(this.#dir, name), error);
          return [];
        }
      });
  }

  /** Saves one endpoint so that it survives a crash at any instant: either the old file is there, or the new one. */
  save(row: EndpointRow): void {
    const path = this.#path(row.id);
    const temporary = `${path}.tmp`;
    const fd = openSync(temporary, 'w', 0o600);
    try {
      writeSync(fd, JSON.stringify(row));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  }

  remove(id: number): void {
    rmSync(this.#path(id), { force: true });
  }

  #path(id: number): string {
    return join(this.#dir, `${id}${SUFFIX}`);
  }
}
