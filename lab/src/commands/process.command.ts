import { type Command, Option } from 'commander';
import { startAgain } from '../fault/lab-process.ts';
import { DEFAULT_LAB, Lab } from '../lab.ts';

/** Signals after which a process is gone, for whoever plays with the mesh. */
const ENDING = ['SIGKILL', 'SIGTERM', 'SIGINT'] as const satisfies readonly NodeJS.Signals[];

interface KillOptions {
  readonly name: string;
  readonly signal: (typeof ENDING)[number];
}

/** Adds `kill` and `start`: what a process leaves behind when it dies, and how it comes back, is there to be looked at. */
export function addKillAndStart(program: Command): void {
  program
    .command('kill')
    .description('end a process, without warning unless told otherwise, and wait until it is gone')
    .argument('<process>', "as 'status' names it: east/n1/agent")
    .addOption(new Option('--signal <signal>', 'how it is ended').choices(ENDING).default('SIGKILL'))
    .option('--name <lab>', 'name of the lab', DEFAULT_LAB)
    .action(kill);
  program
    .command('start')
    .description('start a process that has ended, as it was started before')
    .argument('<process>', "as 'status' names it: east/n1/agent")
    .option('--name <lab>', 'name of the lab', DEFAULT_LAB)
    .action(start);
}

async function kill(id: string, { name, signal }: KillOptions): Promise<void> {
  const { processes } = Lab.open(name);
  const ran = processes.isAlive(id);
  await processes.stop(id, signal);
  console.log(ran ? `${id} is gone` : `${id} had ended already`);
}

function start(id: string, options: { name: string }): void {
  const lab = Lab.open(options.name);
  const ran = lab.processes.isAlive(id);
  startAgain(lab, id);
  console.log(ran ? `${id} runs already` : `${id} runs, process ${lab.processes.get(id).pid}`);
}
