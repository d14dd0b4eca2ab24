import { runCommand } from '@isthmus/lab';

const PROGRAM = new URL('./million-rows.ts', import.meta.url).pathname;
/** What an agent's Node is started with, and the right to collect garbage on demand. */
const FLAGS = ['--conditions=isthmus:source', '--max-semi-space-size=2', '--expose-gc'];

/** What a table of a million rows costs. */
export interface MillionRows {
  readonly bytesPerRow: number;
  /** Thread CPU milliseconds between two chances of the event loop, collections included. */
  readonly longestTurnMs: number;
}

/** Runs `million-rows.ts` in a process of its own. */
export async function millionRows(): Promise<MillionRows> {
  return JSON.parse(await runCommand([process.execPath, ...FLAGS, PROGRAM])) as MillionRows;
}
