import { type Command, Option } from 'commander';
import { agentStatus } from '../agent/agent-answers.ts';
import type { AgentApi } from '../agent/agent-api.ts';
import { IdentityDirectory } from '../agent/identity-directory.ts';
import { splitLabels } from '../agent/identity-labels.ts';
import { eventText, isMonitorEvent, lostEvents, type MonitorEvent } from '../agent/monitor-event.ts';
import type { Cli } from '../cli.ts';
import { addExample, addSocket, type SocketOptions } from '../options/common.ts';

interface MonitorOptions extends SocketOptions {
  type: string;
  json?: boolean;
}

/** `monitor`: drops, as they happen. */
export function addMonitor(program: Command, cli: Cli): void {
  const command = program
    .command('monitor')
    .description('Show dropped packets as they are dropped: reason, addresses, and the identity of both ends. Ends with Ctrl-C')
    .addOption(new Option('--type <type>', 'events to show').choices(['drop', 'trace', 'verdict', 'socket', 'all']).default('drop'))
    .option('--json', 'one JSON object a line');
  addSocket(command);
  addExample(command, 'isthmus monitor');
  command.action((options: MonitorOptions) => monitor(cli, options));
}

async function monitor(cli: Cli, options: MonitorOptions): Promise<void> {
  const agent: AgentApi = cli.connect.agent(options.socket);
  const identities = new IdentityDirectory(agent, cli.clock);
  // Whoever listens to nobody should hear of it at once.
  await agentStatus(agent);
  if (!options.json) cli.terminal.err('listening; Ctrl-C ends\n');
  for await (const value of agent.lines('/v1/monitor', cli.interrupted)) {
    const lost = lostEvents(value);
    if (lost !== undefined) cli.terminal.err(`warning: ${lost} events came too fast and are not shown\n`);
    else if (isMonitorEvent(value) && (options.type === 'all' || value.type === options.type)) await print(cli, options, identities, value);
  }
}

async function print(cli: Cli, { json }: MonitorOptions, identities: IdentityDirectory, event: MonitorEvent): Promise<void> {
  const source = await identities.labelsOf(event.sourceIdentity);
  const destination = await identities.labelsOf(event.destinationIdentity);
  const time = new Date(cli.clock.wall()).toISOString();
  const full = { time, ...event, sourceLabels: splitLabels(source), destinationLabels: splitLabels(destination) };
  cli.terminal.out(json ? `${JSON.stringify(full)}\n` : `${time.slice(11, 23)} ${eventText(event, { source, destination })}\n`);
}
