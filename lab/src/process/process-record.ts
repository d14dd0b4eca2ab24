import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTime } from './process-stat.ts';

/** What the lab remembers of a process that it started. */
export interface ProcessRecord {
  /** `east/etcd`, `east/n1/agent`. */
  readonly id: string;
  /** Id of the place that it runs in. */
  readonly place: string;
  readonly pid: number;
  /** See {@link startTime}: a process id alone may by now be somebody else's. */
  readonly startTime: string;
  readonly argv: readonly string[];
  readonly log: string;
}

/** The records of one lab: a file per process, so that a lab that crashed forgets nothing. */
export class ProcessRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Writes a record, whole or not at all. */
  write(record: ProcessRecord): void {
    mkdirSync(this.#folder, { recursive: true });
    const path = this.#path(record.id);
    writeFileSync(`${path}.tmp`, JSON.stringify(record, undefined, 2));
    renameSync(`${path}.tmp`, path);
  }

  remove(id: string): void {
    rmSync(this.#path(id), { force: true });
  }

  get(id: string): ProcessRecord | undefined {
    return existsSync(this.#path(id)) ? (JSON.parse(readFileSync(this.#path(id), 'utf8')) as ProcessRecord) : undefined;
  }

  /** All records, by id. */
  list(): ProcessRecord[] {
    if (!existsSync(this.#folder)) return [];
    const files = readdirSync(this.#folder).filter((file) => file.endsWith('.json'));
    return files
      .map((file) => JSON.parse(readFileSync(join(this.#folder, file), 'utf8')) as ProcessRecord)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  #path(id: string): string {
    return join(this.#folder, `${id.replaceAll('/', '.')}.json`);
  }
}

/** True while the very process of the record runs. */
export function isAlive(record: ProcessRecord): boolean {
  return startTime(record.pid) === record.startTime;
}
