import type { Command } from 'commander';
import { DEFAULT_LAB, Lab } from '../lab.ts';
import { CHECKS } from '../verify/registry.ts';
import { type CheckChoice, chooseChecks, runChecks } from '../verify/run-checks.ts';
import { printTable } from './print.ts';

/** Adds `verify`: exit status 0 only when every check holds. */
export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('prove on the running lab that the mesh works')
    .option('--name <lab>', 'name of the lab', DEFAULT_LAB)
    .option('--json', 'an array of {name, ok, detail} for programs')
    .option('--only <check>', 'this check alone')
    .option('--quick', 'leave out the checks that break something for a while')
    .action(verify);
}

async function verify(options: { name: string; json?: boolean } & CheckChoice): Promise<void> {
  const checks = chooseChecks(CHECKS, options);
  const started = (name: string): void => {
    if (!options.json) console.error(`verify: ${name}`);
  };
  const results = await runChecks(Lab.open(options.name), checks, { started });
  if (options.json) console.log(JSON.stringify(results, undefined, 2));
  else printTable([['CHECK', 'OK', 'DETAIL'], ...results.map(({ name, ok, detail }) => [name, ok ? 'ok' : 'FAILED', detail])]);
  process.exitCode = results.every((result) => result.ok) ? 0 : 1;
}
