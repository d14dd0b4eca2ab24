import type { Command } from 'commander';
import { agentStatus, tableRows } from '../agent/agent-answers.ts';
import { clusterNames } from '../agent/cluster-names.ts';
import { type FrontendRow, serviceLines, serviceView } from '../agent/service-view.ts';
import type { Cli } from '../cli.ts';
import { addExample, addOutput, addSocket, type OutputOptions, type SocketOptions } from '../options/common.ts';
import { printJson } from '../output/print-json.ts';
import { renderTable } from '../output/print-table.ts';

/** `service list`: frontends, and who serves them. */
export function addService(program: Command, cli: Cli): void {
  const command = program
    .command('service')
    .description('Services as this node translates them')
    .command('list')
    .description('Show each frontend with the backends of each cluster that get its new connections');
  addSocket(addOutput(command));
  addExample(command, 'isthmus service list');
  command.action(async ({ socket, output }: OutputOptions & SocketOptions) => {
    const agent = cli.connect.agent(socket);
    const [status, frontends] = await Promise.all([agentStatus(agent), tableRows<FrontendRow>(agent, 'frontends')]);
    const nameOf = clusterNames(status);
    const views = frontends
      .map(({ key, row }) => serviceView(key, row, nameOf))
      .sort((a, b) => (`${a.service} ${a.frontend}` < `${b.service} ${b.frontend}` ? -1 : 1));
    if (output === 'json') printJson(cli.terminal, views);
    else
      cli.terminal.out(
        renderTable(['FRONTEND', 'SERVICE', 'KIND', 'CLUSTER', 'BACKENDS'], views.flatMap(serviceLines), cli.terminal.colour),
      );
  });
}
