import { isCoded } from '@isthmus/core';
import type { Command } from 'commander';
import { type AgentStatus, agentStatus } from '../agent/agent-answers.ts';
import { agentStatusText } from '../agent/agent-status-text.ts';
import { CLI_AGENT_DOWN } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { EXIT } from '../exit-status.ts';
import { addExample, addOutput, addSocket, addWait, type OutputOptions, type SocketOptions, type WaitOptions } from '../options/common.ts';
import { type Look, waitUntil } from '../options/wait.ts';
import { printJson } from '../output/print-json.ts';

interface StatusOptions extends OutputOptions, SocketOptions, WaitOptions {}

/** `status`: how the agent of this node does. */
export function addStatus(program: Command, cli: Cli): void {
  const command = program.command('status').description("Show how this node's agent does. Ends with status 3 while it is not ready");
  addSocket(addOutput(addWait(command, 'the agent is ready')));
  addExample(command, 'isthmus status --wait --wait-duration 2m');
  command.action((options: StatusOptions) => status(cli, options));
}

async function status(cli: Cli, options: StatusOptions): Promise<void> {
  const agent = cli.connect.agent(options.socket);
  let last: AgentStatus | undefined;
  const look = async (): Promise<Look<AgentStatus>> => {
    last = await agentStatus(agent);
    return { seen: last, missing: !options.wait || last.ready ? '' : (last.waitingFor ?? 'the agent') };
  };
  try {
    // An agent that is being started has no socket yet.
    await waitUntil(cli, options.wait ? options.waitDuration : 0, look, (error) => isCoded(error, CLI_AGENT_DOWN));
  } finally {
    if (last) print(cli, last, options);
  }
}

function print(cli: Cli, seen: AgentStatus, { output }: StatusOptions): void {
  if (output === 'json') printJson(cli.terminal, seen);
  else cli.terminal.out(agentStatusText(seen, cli.terminal.colour));
  if (!seen.ready) cli.exitStatus = EXIT.notReady;
}
