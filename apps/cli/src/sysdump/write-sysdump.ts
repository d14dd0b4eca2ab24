import { CodedError, messageOf } from '@isthmus/core';
import { hideSecrets } from '@isthmus/crypto';
import { CLI_INTERRUPTED } from '../cli.errors.ts';
import { errorText } from '../output/report-error.ts';
import type { Archive } from './archive.ts';
import type { DumpFile, DumpPart } from './dump-part.ts';

/** What went into a sysdump. */
export interface SysdumpReport {
  readonly files: number;
  /** Each source that could not be read, and why. */
  readonly errors: readonly { readonly path: string; readonly error: string }[];
}

/** Who hears how far it is. */
export interface SysdumpProgress {
  partDone(part: string, done: { files: number; bytes: number; errors: number }): void;
}

/**
 * Reads every part and writes it into an archive, one file after the other, without secrets. What cannot be read is an entry in the archive's
 * `errors.txt`.
 * @throws CodedError CLI_INTERRUPTED; Error when the archive cannot be written
 */
export async function writeSysdump(
  archive: Pick<Archive, 'add'>,
  parts: readonly DumpPart[],
  progress: SysdumpProgress,
  interrupted: AbortSignal,
): Promise<SysdumpReport> {
  const errors: { path: string; error: string }[] = [];
  let files = 0;
  for (const part of parts) {
    const done = { files: 0, bytes: 0, errors: errors.length };
    for (const file of await filesOf(part, errors)) {
      if (interrupted.aborted) throw new CodedError(CLI_INTERRUPTED, 'nothing is written');
      const text = await textOf(file, errors);
      if (text === undefined) continue;
      done.bytes += await archive.add(file.path, hideSecrets(text));
      done.files++;
    }
    files += done.files;
    progress.partDone(part.name, { ...done, errors: errors.length - done.errors });
  }
  if (errors.length > 0) await archive.add('errors.txt', hideSecrets(errors.map(({ path, error }) => `${path}\n${error}\n`).join('')));
  return { files, errors };
}

async function filesOf(part: DumpPart, errors: { path: string; error: string }[]): Promise<readonly DumpFile[]> {
  try {
    return await part.files();
  } catch (error) {
    errors.push({ path: part.name, error: textOfError(error) });
    return [];
  }
}

async function textOf(file: DumpFile, errors: { path: string; error: string }[]): Promise<string | undefined> {
  try {
    return await file.read();
  } catch (error) {
    errors.push({ path: file.path, error: textOfError(error) });
    return undefined;
  }
}

function textOfError(error: unknown): string {
  return error instanceof CodedError ? errorText(error) : `error: ${messageOf(error)}\n`;
}
