import type { Command } from 'commander';
import { DEFAULT_LAB, Lab } from '../lab.ts';
import { withLabLock } from '../lab-lock.ts';
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
  const lab = Lab.open(options.name);
  // Two that break things at once would each find what the other broke.
  const results = await withLabLock(lab.name, () => runChecks(lab, checks, { started, signal: interruption() }));
  if (options.json) console.log(JSON.stringify(results, undefined, 2));
  else printTable([['CHECK', 'OK', 'DETAIL'], ...results.map(({ name, ok, detail }) => [name, ok ? 'ok' : 'FAILED', detail])]);
  const failed = results.filter((result) => !result.ok);
  if (!options.json)
    console.log(
      `\n${results.length - failed.length} of ${results.length} hold${failed.length > 0 ? `; not: ${failed.map(({ name }) => name).join(', ')}` : ''}`,
    );
  if (failed.length > 0) process.exitCode = 1;
}

/** Lets the check that runs restore what it breaks: the first interrupt makes it the last one, a second one ends the process. */
function interruption(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      console.error('verify: stopping after this check, which restores what it broke; once more to stop at once');
      stop.abort();
      process.exitCode = 1;
    });
  return stop.signal;
}
