import { CONFIG_KEYS, type ConfigKey, configSchema } from '@isthmus/model';
import type { Command } from 'commander';
import { agentConfig } from '../agent/agent-answers.ts';
import type { Cli } from '../cli.ts';
import { addExample, addOutput, addSocket, type OutputOptions, type SocketOptions } from '../options/common.ts';
import { valueText } from '../output/generic-rows.ts';
import { printJson } from '../output/print-json.ts';
import { type Cell, renderTable } from '../output/print-table.ts';

/** `config view`: the settings of this node's agent. */
export function addConfig(program: Command, cli: Cli): void {
  const command = program
    .command('config')
    .description("Settings of this node's agent")
    .command('view')
    .description('Show the settings that the agent runs with. None of them is a secret: secrets are in files, of which it shows the paths');
  addSocket(addOutput(command));
  addExample(command, 'isthmus config view');
  command.action(async ({ socket, output }: OutputOptions & SocketOptions) => {
    const settings = await agentConfig(cli.connect.agent(socket));
    if (output === 'json') printJson(cli.terminal, settings);
    else cli.terminal.out(renderTable(['SETTING', 'VALUE', 'SET', 'MEANING'], Object.entries(settings).map(cells), cli.terminal.colour));
  });
}

function cells([key, value]: readonly [string, unknown]): Cell[] {
  const known = CONFIG_KEYS.find((each) => each === key);
  const isDefault = known !== undefined && valueText(defaultOf(known)) === valueText(value);
  return [key, valueText(value) || '-', isDefault ? '' : 'yes', known === undefined ? '' : (configSchema[known].description ?? '')];
}

function defaultOf(key: ConfigKey): unknown {
  return configSchema[key].parse(undefined);
}
