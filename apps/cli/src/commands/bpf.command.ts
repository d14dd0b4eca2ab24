import { CodedError } from '@isthmus/core';
import type { Command } from 'commander';
import { mapNames, mapRows } from '../agent/agent-answers.ts';
import { CLI_USAGE } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { addExample, addOutput, addSocket, type OutputOptions, type SocketOptions } from '../options/common.ts';
import { renderObjects } from '../output/generic-rows.ts';
import { printJson } from '../output/print-json.ts';

/** `bpf <map> list`: what is in the kernel's maps now. */
export function addBpf(program: Command, cli: Cli): void {
  const command = program
    .command('bpf')
    .argument('[map]', 'name of a map; without one, the names are listed')
    .argument('[action]', 'list, the only one there is', 'list')
    .description("Show what is in the datapath's maps now, read from the kernel");
  addSocket(addOutput(command));
  addExample(command, 'isthmus bpf', 'isthmus bpf ipcache list');
  command.action(async (map: string | undefined, action: string, options: OutputOptions & SocketOptions) => {
    if (action !== 'list') throw new CodedError(CLI_USAGE, `bpf ${map} ${action}: maps can only be listed`);
    await (map === undefined || map === 'list' ? listMaps(cli, options) : listRows(cli, map, options));
  });
}

async function listMaps(cli: Cli, { socket, output }: OutputOptions & SocketOptions): Promise<void> {
  const names = await mapNames(cli.connect.agent(socket));
  if (output === 'json') printJson(cli.terminal, names);
  else cli.terminal.out(names.map((name) => `${name}\n`).join(''));
}

async function listRows(cli: Cli, map: string, { socket, output }: OutputOptions & SocketOptions): Promise<void> {
  const rows = await mapRows(cli.connect.agent(socket), map);
  if (output === 'json') printJson(cli.terminal, rows);
  else cli.terminal.out(renderObjects(rows, cli.terminal.colour));
}
