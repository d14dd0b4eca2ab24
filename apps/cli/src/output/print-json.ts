import type { Terminal } from '../cli.ts';

/** Prints a value for programs. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out(`${JSON.stringify(value, null, 2)}\n`);
}
