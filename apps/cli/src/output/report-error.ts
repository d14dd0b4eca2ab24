import { CodedError, messageOf } from '@isthmus/core';
import type { Terminal } from '../cli.ts';

/** Writes an error as people read it: what, about what, and what to do. Causes are left out: they may hold what nobody should see. */
export function reportError(terminal: Terminal, error: unknown): void {
  if (error instanceof AggregateError) {
    for (const each of error.errors) reportError(terminal, each);
    if (error.message !== '') terminal.err(`  also: ${error.message}\n`);
    return;
  }
  terminal.err(errorText(error));
}

/** The lines of one error. */
export function errorText(error: unknown): string {
  if (!(error instanceof CodedError)) return `error: ${systemCode(error)}: ${messageOf(error)}\n`;
  const object = error.object === undefined ? '' : ` ${error.object}`;
  return `error: ${error.code}${object}: ${error.message}\n  what to do: ${error.action}\n`;
}

/** Errors of the system have a code of their own; what has none is a defect. */
function systemCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'CLI_DEFECT';
}
