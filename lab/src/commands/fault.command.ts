import type { Command } from 'commander';
import { withFault } from '../fault/fault.ts';
import { FAULTS, faultNamed } from '../fault/registry.ts';
import { DEFAULT_LAB, Lab } from '../lab.ts';
import { printTable } from './print.ts';

/** Adds `fault`: something goes wrong until the command is told to end. */
export function addFault(program: Command): void {
  program
    .command('fault')
    .description('make something go wrong in a lab until the command is interrupted; without words, list what can')
    .argument('[words...]', 'kill east/n1/agent')
    .option('--name <lab>', 'name of the lab', DEFAULT_LAB)
    .action(runFault);
}

async function runFault(words: readonly string[], options: { name: string }): Promise<void> {
  if (words.length === 0) {
    printTable([['FAULT', 'ARGUMENTS', 'WHAT'], ...FAULTS.map(({ name, usage, what }) => [name, usage, what])]);
    return;
  }
  const fault = faultNamed(words);
  await withFault(Lab.open(options.name), fault, async () => {
    console.error(`fault: ${fault.name}; interrupt to take it back`);
    await interrupted();
  });
  console.error(`fault: ${fault.name} is taken back`);
}

function interrupted(): Promise<void> {
  // A signal alone keeps no process waiting.
  const awake = setInterval(() => undefined, 60_000);
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        clearInterval(awake);
        resolve();
      });
  });
}
