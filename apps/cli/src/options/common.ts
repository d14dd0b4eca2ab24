import { configSchema } from '@isthmus/model';
import { type Command, Option } from 'commander';
import { parseDuration } from './duration.ts';

/** How a command prints. */
export interface OutputOptions {
  output: 'table' | 'json' | 'yaml';
}

/** How long a command waits. */
export interface WaitOptions {
  wait?: boolean;
  /** Milliseconds. */
  waitDuration: number;
}

/** Where the agent is. */
export interface SocketOptions {
  socket: string;
}

/** Which cluster a command is about. */
export interface ContextOptions {
  context?: string;
}

/** Adds `-o`. */
export function addOutput(command: Command, formats: readonly OutputOptions['output'][] = ['table', 'json']): Command {
  return command.addOption(new Option('-o, --output <format>', 'how to print').choices(formats).default('table'));
}

/** Adds `--socket`. */
export function addSocket(command: Command): Command {
  const path = configSchema['socket-path'].parse(undefined);
  return command.addOption(new Option('--socket <path>', "the agent's unix socket").env('ISTHMUS_SOCK').default(path));
}

/** Adds `--wait` and `--wait-duration`. */
export function addWait(command: Command, what: string): Command {
  return command
    .option('--wait', `wait until ${what}`)
    .addOption(new Option('--wait-duration <time>', 'how long to wait at most').argParser(parseDuration).default(900_000, '15m'));
}

/** Adds `--context`. */
export function addContext(command: Command): Command {
  return command.option('--context <name>', 'context of the cluster; the current one when absent');
}

/** Adds an example to a command's help. */
export function addExample(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExample:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}
