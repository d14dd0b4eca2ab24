import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, defineError } from '@isthmus/core';
import type { EndpointRow } from '@isthmus/model';
import type { Lasting, StateFolder } from '../state/state-folder.ts';

export const ENDPOINT_FILE_INVALID = defineError(
  'ENDPOINT_FILE_INVALID',
  'A saved endpoint cannot be read.',
  'If its pod still runs, delete the pod and make it again; then remove the file.',
);

const FOLDER = 'endpoints';
const SUFFIX = '.json';
const TEXTS = [
  'containerId',
  'namespace',
  'pod',
  'podUid',
  'interfaceName',
  'podInterface',
  'netns',
  'mac',
  'hostMac',
  'ipv4',
  'ipv6',
  'labels',
] as const;
const NUMBERS = ['ifindex', 'mtu', 'identity'] as const;

/** Endpoints on disk: what an agent must know after a restart to go on as if nothing had happened. */
export class EndpointFiles {
  readonly #state: StateFolder;
  readonly #dir: string;

  constructor(state: StateFolder) {
    this.#state = state;
    this.#dir = join(state.path, FOLDER);
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
  }

  /** All saved endpoints. `onBroken` hears of files that are none; they are left where they are. */
  load(onBroken: (file: string, error: unknown) => void): EndpointRow[] {
    return readdirSync(this.#dir)
      .filter((name) => name.endsWith(SUFFIX))
      .flatMap((name) => {
        try {
          return [readRow(join(this.#dir, name), name.slice(0, -SUFFIX.length))];
        } catch (error) {
          onBroken(join(this.#dir, name), error);
          return [];
        }
      });
  }

  /** Saves one endpoint so that it survives a crash at any instant. @throws CodedError STATE_NOT_SAVED */
  save(row: EndpointRow, lasting?: Lasting): void {
    this.#state.write(join(FOLDER, `${row.id}${SUFFIX}`), JSON.stringify(row), lasting);
  }

  remove(id: number): void {
    rmSync(join(this.#dir, `${id}${SUFFIX}`), { force: true });
  }
}

/** @throws SyntaxError, CodedError ENDPOINT_FILE_INVALID */
function readRow(path: string, id: string): EndpointRow {
  const row = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown> | null;
  const wrong =
    row === null || typeof row !== 'object' || String(row['id']) !== id
      ? 'id'
      : (TEXTS.find((name) => typeof row[name] !== 'string') ?? NUMBERS.find((name) => !Number.isSafeInteger(row[name])));
  if (wrong) throw new CodedError(ENDPOINT_FILE_INVALID, `${path}: ${wrong} is missing or wrong`, { object: path });
  // Earlier versions did not write it down.
  return { network: '', ...row } as unknown as EndpointRow;
}
