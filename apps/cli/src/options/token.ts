import { readFile } from 'node:fs/promises';
import { CodedError, messageOf } from '@isthmus/core';
import type { Command } from 'commander';
import { CLI_FILE, CLI_USAGE } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';

/** Options that say where a one-time token is. */
export interface TokenOptions {
  token?: string;
  tokenFile?: string;
}

/** Adds the options of {@link TokenOptions}. */
export function addTokenOptions(command: Command): Command {
  return command
    .option('--token <token>', 'one-time token; others on this machine can see it while the command runs')
    .option('--token-file <file>', 'file with the token, - for standard input; without either, ISTHMUS_TOKEN counts');
}

/** The token, from wherever it was given; undefined when it was not. @throws CodedError CLI_FILE, CLI_USAGE */
export async function findToken(cli: Cli, { token, tokenFile }: TokenOptions): Promise<string | undefined> {
  if (token !== undefined && tokenFile !== undefined) throw new CodedError(CLI_USAGE, '--token and --token-file exclude each other');
  const found = token ?? (tokenFile === undefined ? cli.env['ISTHMUS_TOKEN'] : await readToken(cli, tokenFile));
  return found === undefined || found.trim() === '' ? undefined : found.trim();
}

/** The same, for commands that cannot do without. @throws CodedError CLI_USAGE, CLI_FILE */
export async function needToken(cli: Cli, options: TokenOptions, maker: string): Promise<string> {
  const token = await findToken(cli, options);
  if (token !== undefined) return token;
  throw new CodedError(CLI_USAGE, 'a one-time token is needed and none was given', {
    action: `Make one with "${maker}" in the other place, and give it by --token, --token-file or ISTHMUS_TOKEN.`,
  });
}

async function readToken(cli: Cli, file: string): Promise<string> {
  if (file === '-') return await cli.terminal.readInput();
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CodedError(CLI_FILE, `cannot read the token: ${messageOf(cause)}`, { object: file, cause });
  }
}
