import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, defineError, messageOf } from '@isthmus/core';

export const STATE_NOT_SAVED = defineError(
  'STATE_NOT_SAVED',
  'What must survive a restart of the agent cannot be written.',
  'Make room on the disk of `state-dir`, or mend it. The agent goes on by itself as soon as it can write.',
);

const PROBE = 'probe';
/** A page: less may find room where nothing else does. */
const PROBE_BYTES = 4096;

/** What a file survives: a crash of the machine, too, which takes the disk's time, or that of the process alone. */
export type Lasting = 'for ever' | 'until the machine ends';

/** The agent's folder on disk. */
export class StateFolder {
  readonly path: string;
  /** Why the last write failed. */
  #problem: CodedError | undefined;

  constructor(path: string) {
    this.path = path;
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  /**
   * Writes a file so that it survives a crash at any instant: either the old one is there, or the new one.
   * @param name relative to the folder
   * @throws CodedError STATE_NOT_SAVED: the old one is there
   */
  write(name: string, text: string, lasting: Lasting = 'for ever'): void {
    const temporary = join(this.path, `${name}.tmp`);
    try {
      writeWhole(temporary, text, lasting);
      renameSync(temporary, join(this.path, name));
      this.#problem = undefined;
    } catch (cause) {
      rmSync(temporary, { force: true });
      this.#problem = new CodedError(STATE_NOT_SAVED, `${join(this.path, name)} cannot be written: ${messageOf(cause)}`, {
        object: this.path,
        cause,
      });
      throw this.#problem;
    }
  }

  /** Why nothing can be written, as it is now: after a failure, and on a full disk, it is tried. */
  problem(): CodedError | undefined {
    if (!this.#problem && hasRoom(this.path)) return undefined;
    try {
      this.write(PROBE, ' '.repeat(PROBE_BYTES));
      rmSync(join(this.path, PROBE), { force: true });
    } catch {
      // That is the answer.
    }
    return this.#problem;
  }
}

function hasRoom(path: string): boolean {
  const { bfree, ffree } = statfsSync(path);
  return bfree > 0 && ffree > 0;
}

function writeWhole(path: string, text: string, lasting: Lasting): void {
  const fd = openSync(path, 'w', 0o600);
  try {
    writeSync(fd, text);
    if (lasting === 'for ever') fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
