import type { Command } from 'commander';
import { DEFAULT_LAB, Lab } from '../lab.ts';
import { printTable } from './print.ts';

/** Adds `status`: exit status 0 only when every process runs. */
export function addStatus(program: Command): void {
  program
    .command('status')
    .description('show the places and processes of a lab')
    .option('--name <lab>', 'name of the lab', DEFAULT_LAB)
    .option('-o, --output <format>', 'json for programs')
    .action(status);
}

function status(options: { name: string; output?: string }): void {
  const lab = Lab.open(options.name);
  const { clusters } = lab.plan;
  const processes = lab.processes.list();
  if (options.output === 'json')
    console.log(
      JSON.stringify(
        { name: lab.name, clusters: clusters.map(({ name, id, control, nodes }) => ({ name, id, control, nodes })), processes },
        undefined,
        2,
      ),
    );
  else {
    const places = clusters.flatMap((cluster) => [
      [cluster.control.id, 'control plane', cluster.control.addresses.ipv4, cluster.control.addresses.ipv6],
      ...cluster.nodes.flatMap((node) => [
        [node.id, 'node', node.addresses.ipv4, node.addresses.ipv6],
        ...node.pods.map((pod) => [pod.id, `pod on ${node.name}`, '', '']),
      ]),
    ]);
    printTable([['PLACE', 'KIND', 'IPV4', 'IPV6'], ...places]);
    console.log();
    printTable([
      ['PROCESS', 'STATE', 'PID', 'LOG'],
      ...processes.map(({ id, alive, pid, log }) => [id, alive ? 'running' : 'ended', String(pid), log]),
    ]);
  }
  if (!processes.every((process) => process.alive)) process.exitCode = 1;
}
