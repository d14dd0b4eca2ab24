import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@isthmus/core';
import { LAB_MACHINE } from './lab.errors.ts';

/** Root of the repository. */
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** A file of the repository, built or not. */
export function repositoryFile(path: string): string {
  return join(REPOSITORY, path);
}

/** The command line that runs the toolchain's Node. */
export function nodeCommand(args: readonly string[]): string[] {
  return [repositoryFile('scripts/with-node'), ...args];
}

/** The command line that runs one of the apps, compiled. */
export function appCommand(app: string, args: readonly string[]): string[] {
  return [repositoryFile('scripts/run-app'), app, ...args];
}

/**
 * Where a program is: unpacked into the toolchain folder, or on the path.
 * @throws CodedError LAB_MACHINE
 */
export function toolPath(program: string): string {
  const daemons = ['usr/bin', 'usr/sbin'].map((folder) => repositoryFile(join('.toolchain/daemons', folder)));
  const found = [...daemons, ...(process.env['PATH'] ?? '').split(delimiter)].map((folder) => join(folder, program)).find(isExecutable);
  if (found !== undefined) return found;
  throw new CodedError(LAB_MACHINE, `${program} is not on this machine`, { object: program, action: "Run 'make setup'." });
}

/**
 * Where a library is that was unpacked into the toolchain folder.
 * @throws CodedError LAB_MACHINE
 */
export function libraryPath(file: string): string {
  const found = findLibrary(file);
  if (found !== undefined) return found;
  throw new CodedError(LAB_MACHINE, `${file} is not on this machine`, { object: file, action: "Run 'make setup'." });
}

/** The same; undefined where it is not. */
export function findLibrary(file: string): string | undefined {
  const root = repositoryFile('.toolchain/daemons/usr/lib');
  if (!existsSync(root)) return undefined;
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' }).find((path) => basename(path) === file);
  return found === undefined ? undefined : join(root, found);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // Absent here, or a file that cannot be run: look on.
  }
}
