import { Command } from 'commander';
import type { Cli } from './cli.ts';
import { addApply } from './commands/apply.command.ts';
import { addBgp } from './commands/bgp.command.ts';
import { addBpf } from './commands/bpf.command.ts';
import { addClusterCa } from './commands/cluster-ca.command.ts';
import { addClusterInit } from './commands/cluster-init.command.ts';
import { addClustermeshStatus } from './commands/clustermesh-status.command.ts';
import { addCompletion } from './commands/completion.command.ts';
import { addConfig } from './commands/config.command.ts';
import { addConnect } from './commands/connect.command.ts';
import { addContextGroup } from './commands/context.command.ts';
import { addDelete } from './commands/delete.command.ts';
import { addDisconnect } from './commands/disconnect.command.ts';
import { addEncrypt } from './commands/encrypt.command.ts';
import { addEndpoint } from './commands/endpoint.command.ts';
import { addGet } from './commands/get.command.ts';
import { addIdentity } from './commands/identity.command.ts';
import { addMonitor } from './commands/monitor.command.ts';
import { addNodeEnrol } from './commands/node-enrol.command.ts';
import { addPreflight } from './commands/preflight.command.ts';
import { addRevoke } from './commands/revoke.command.ts';
import { addService } from './commands/service.command.ts';
import { addStatus } from './commands/status.command.ts';
import { addSysdump } from './commands/sysdump.command.ts';
import { addTable } from './commands/table.command.ts';
import { addClusterToken, addNodeToken } from './commands/token.command.ts';
import { EXIT_HELP } from './exit-status.ts';
import { ownVersion } from './own-version.ts';

/** The whole command line, over a {@link Cli}: a contents page of the commands. */
export function buildProgram(cli: Cli): Command {
  const program = new Command('isthmus')
    .description('Joins Kubernetes clusters and plain Linux hosts into one network')
    .version(ownVersion(), '--version', 'print the version')
    .configureOutput({
      writeOut: (text) => cli.terminal.out(text),
      writeErr: (text) => cli.terminal.err(text),
      outputError: (text, write) => write(usageError(text)),
    })
    .exitOverride()
    .helpCommand(false)
    .addHelpText('after', footer());
  addMesh(program, cli);
  addResources(program, cli);
  addNode(program, cli);
  return program;
}

/** Clusters and how they are joined. */
function addMesh(program: Command, cli: Cli): void {
  program.commandsGroup('Clusters:');
  const mesh = program.command('clustermesh').description('Join clusters, part them, see how they do');
  addConnect(mesh, cli);
  addDisconnect(mesh, cli);
  addRevoke(mesh, cli);
  addClustermeshStatus(mesh, cli);
  addClusterToken(mesh, cli);
  const node = program.command('node').description('Make machines nodes of a cluster');
  addNodeToken(node, cli);
  addNodeEnrol(node, cli);
  const cluster = program.command('cluster').description('Set up a cluster, and change its CA');
  addClusterInit(cluster, cli);
  addClusterCa(cluster, cli);
  addContextGroup(program, cli);
}

/** Objects in the cluster etcd. */
function addResources(program: Command, cli: Cli): void {
  program.commandsGroup('Objects:');
  addApply(program, cli);
  addGet(program, cli);
  addDelete(program, cli);
}

/** This node, as its agent sees it. */
function addNode(program: Command, cli: Cli): void {
  program.commandsGroup('This node:');
  addStatus(program, cli);
  addEndpoint(program, cli);
  addIdentity(program, cli);
  addService(program, cli);
  addBgp(program, cli);
  addEncrypt(program, cli);
  addBpf(program, cli);
  addTable(program, cli);
  addMonitor(program, cli);
  addConfig(program, cli);
  addPreflight(program, cli);
  program.commandsGroup('Others:');
  addSysdump(program, cli);
  addCompletion(program, cli);
}

/** Errors of the parser in the form of all others. */
function usageError(text: string): string {
  const message = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ');
  return `error: CLI_USAGE: ${message}\n  what to do: Add --help to the command to see how it is used.\n`;
}

function footer(): string {
  const lines = EXIT_HELP.map(([status, meaning]) => `  ${String(status).padEnd(4)} ${meaning}`);
  return `\nExit status:\n${lines.join('\n')}\n\nExample:\n  isthmus clustermesh connect --context west --destination-context east`;
}
