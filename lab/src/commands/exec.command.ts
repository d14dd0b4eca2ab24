import { spawn } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import type { Command } from 'commander';
import { isthmusEnvironment } from '../control-plane/isthmus-command.ts';
import { DEFAULT_LAB, Lab } from '../lab.ts';
import { enterPlace, LAB_VARIABLE } from '../process/enter-place.ts';
import { routerPath, routersOf } from '../rack/router-daemons.ts';
import { repositoryFile } from '../toolchain.ts';
import { TRAFFIC_PROGRAM } from '../traffic/traffic-program.ts';

/** Adds `exec` and `logs`: both hand the terminal over. */
export function addExecAndLogs(program: Command): void {
  program
    .command('exec')
    .description('run a command in a node, a pod, the control plane of a cluster, or a router')
    .argument('<place>', 'east/n1, east/a1, east (its control plane), router; r1, r2, rs in a lab with racks')
    .argument('[command...]', 'a shell unless given')
    .option('--name <lab>', 'name of the lab', DEFAULT_LAB)
    .passThroughOptions()
    .action(exec);
  program
    .command('logs')
    .description('show the log of a process')
    .argument('<process>', "as 'status' names it: east/etcd")
    .option('-f, --follow', 'go on as the log grows')
    .option('--name <lab>', 'name of the lab', DEFAULT_LAB)
    .action(logs);
}

async function exec(place: string, words: readonly string[], options: { name: string }, command: Command): Promise<void> {
  const [first = ''] = words;
  if (/^--./.test(first)) command.error(`error: no program is named ${first}; options of 'lab exec' come before the place`);
  const lab = Lab.open(options.name);
  // After the place every word is the command's own, and so commander leaves the customary `--` in.
  const own = first === '--' ? words.slice(1) : words;
  const argv = enterPlace(lab.place(place), own.length > 0 ? own : ['bash']);
  // `isthmus` is there, and knows the lab's clusters; so is `isthmus-traffic`.
  const router = lab.plan.fabric && routersOf(lab.plan.fabric).find(({ id }) => id === place);
  const path = [
    ...(router ? [routerPath(router)] : []),
    repositoryFile('scripts'),
    dirname(TRAFFIC_PROGRAM),
    process.env['PATH'] ?? '',
  ].join(delimiter);
  process.exitCode = await foreground(argv, { [LAB_VARIABLE]: lab.name, ...isthmusEnvironment(lab.plan), PATH: path });
}

async function logs(id: string, options: { name: string; follow?: boolean }): Promise<void> {
  const { log } = Lab.open(options.name).processes.get(id);
  process.exitCode = await foreground(options.follow ? ['tail', '-n', '+1', '-f', log] : ['cat', log]);
}

/** Runs a command with this process's terminal, and answers its exit status. */
function foreground(argv: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
