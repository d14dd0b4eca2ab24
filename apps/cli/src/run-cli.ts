import { CommanderError } from 'commander';
import type { Cli } from './cli.ts';
import { EXIT, type ExitStatus, exitStatusOf } from './exit-status.ts';
import { reportError } from './output/report-error.ts';
import { buildProgram } from './program.ts';

/** Runs one command line. Errors are reported, never thrown. @returns the exit status */
export async function runCli(argv: readonly string[], cli: Cli): Promise<ExitStatus> {
  try {
    await buildProgram(cli).parseAsync([...argv], { from: 'user' });
    return cli.exitStatus;
  } catch (error) {
    // The parser has said already what it had to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    reportError(cli.terminal, error);
    return exitStatusOf(error);
  }
}
