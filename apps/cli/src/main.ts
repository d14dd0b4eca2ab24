import { text } from 'node:stream/consumers';
import { systemClock } from '@isthmus/core';
import type { Terminal } from './cli.ts';
import { systemConnections } from './connections.ts';
import { EXIT } from './exit-status.ts';
import { wantsColour } from './output/paint.ts';
import { runCli } from './run-cli.ts';

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));

// Whoever reads the output may have seen enough, as "head" has.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed));

const terminal: Terminal = {
  out: (written) => void process.stdout.write(written),
  err: (written) => void process.stderr.write(written),
  readInput: () => text(process.stdin),
  colour: wantsColour(process.stdout.isTTY ?? false, process.env),
};

process.exitCode = await runCli(process.argv.slice(2), {
  terminal,
  env: process.env,
  clock: systemClock,
  connect: systemConnections,
  interrupted: interrupted.signal,
  exitStatus: EXIT.ok,
});
