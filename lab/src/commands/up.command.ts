import { systemClock } from '@isthmus/core';
import { type Command, Option } from 'commander';
import { STAGES, type Stage } from '../bring-up.ts';
import { DEFAULT_LAB, Lab } from '../lab.ts';

/** Adds `up` and `down`. */
export function addUpAndDown(program: Command): void {
  program
    .command('up')
    .description('bring a lab up')
    .argument('[topology]', 'name in lab/topologies, or path of a file', 'two-clusters')
    .option('--name <lab>', 'name of the lab', DEFAULT_LAB)
    .addOption(new Option('--through <stage>', 'stop after this stage').choices(STAGES))
    .action(up);
  program.command('down').description('remove all of a lab').option('--name <lab>', 'name of the lab', DEFAULT_LAB).action(down);
}

async function up(topology: string, options: { name: string; through?: Stage }): Promise<void> {
  const started = systemClock.now();
  const through = options.through === undefined ? {} : { through: options.through };
  await Lab.up(topology, { name: options.name, progress: (line) => console.log(`[${seconds(started)}] ${line}`), ...through });
  console.log(`[${seconds(started)}] lab ${options.name} is up`);
}

async function down(options: { name: string }): Promise<void> {
  const started = systemClock.now();
  await Lab.down(options.name);
  console.log(`lab ${options.name} is gone, in ${seconds(started).trim()}`);
}

function seconds(since: number): string {
  return `${((systemClock.now() - since) / 1000).toFixed(1).padStart(5)} s`;
}
