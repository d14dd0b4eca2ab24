import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CodedError, messageOf } from '@isthmus/core';
import { readIfPresent, writeFileAtomically } from '@isthmus/crypto';
import { CLI_CONTEXT_FILE, CLI_CONTEXT_NONE, CLI_CONTEXT_UNKNOWN } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { type Context, type ContextFile, contextFileText, parseContextFile } from './context-file.ts';

/** Where the contexts are: `ISTHMUS_CONFIG`, or `~/.isthmus/config`. */
export function contextPath(cli: Cli): string {
  return cli.env['ISTHMUS_CONFIG'] || join(cli.env['HOME'] || homedir(), '.isthmus', 'config');
}

/** Reads all contexts; none when there is no file. Warns of a file that others can read. @throws CodedError CLI_CONTEXT_FILE */
export async function readContexts(cli: Cli): Promise<ContextFile> {
  const path = contextPath(cli);
  try {
    const text = await readIfPresent(path);
    if (text === undefined) return { contexts: [] };
    await warnOfReaders(cli, path);
    return parseContextFile(text, path);
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw new CodedError(CLI_CONTEXT_FILE, messageOf(cause), { object: path, cause });
  }
}

/** Writes all contexts, for this person's eyes only. @throws CodedError CLI_CONTEXT_FILE */
export async function writeContexts(cli: Cli, file: ContextFile): Promise<void> {
  const path = contextPath(cli);
  try {
    await writeFileAtomically(path, contextFileText(file), 0o600);
  } catch (cause) {
    throw new CodedError(CLI_CONTEXT_FILE, messageOf(cause), { object: path, cause });
  }
}

/** The context of that name, or the current one. @throws CodedError CLI_CONTEXT_NONE, CLI_CONTEXT_UNKNOWN, CLI_CONTEXT_FILE */
export async function findContext(cli: Cli, name?: string): Promise<Context> {
  const { current, contexts } = await readContexts(cli);
  const wanted = name ?? current;
  if (wanted === undefined) throw new CodedError(CLI_CONTEXT_NONE, 'no context is named, and none is current');
  return needContext(contexts, wanted);
}

/** The context of that name among these. @throws CodedError CLI_CONTEXT_UNKNOWN */
export function needContext(contexts: readonly Context[], name: string): Context {
  const found = contexts.find((context) => context.name === name);
  if (found) return found;
  const known = contexts.length === 0 ? 'there are none' : `there are ${contexts.map((each) => each.name).join(', ')}`;
  throw new CodedError(CLI_CONTEXT_UNKNOWN, `no context has this name; ${known}`, { object: name });
}

async function warnOfReaders(cli: Cli, path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return;
  cli.terminal.err(`warning: ${path} can be read by others (mode ${(mode & 0o777).toString(8)}); run "chmod 600 ${path}"\n`);
}
