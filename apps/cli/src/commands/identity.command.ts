import type { IdentityRow } from '@isthmus/model';
import type { Command } from 'commander';
import { tableRows } from '../agent/agent-answers.ts';
import { IDENTITY_TABLES } from '../agent/identity-directory.ts';
import { shortLabels, splitLabels } from '../agent/identity-labels.ts';
import type { Cli } from '../cli.ts';
import { addExample, addOutput, addSocket, type OutputOptions, type SocketOptions } from '../options/common.ts';
import { printJson } from '../output/print-json.ts';
import { renderTable } from '../output/print-table.ts';

/** `identity list`: identities of every cluster, as this node knows them. */
export function addIdentity(program: Command, cli: Cli): void {
  const command = program
    .command('identity')
    .description('Identities of pods')
    .command('list')
    .description('Show the identities of every cluster that this node knows');
  addSocket(addOutput(command));
  addExample(command, 'isthmus identity list -o json');
  command.action(async ({ socket, output }: OutputOptions & SocketOptions) => {
    const agent = cli.connect.agent(socket);
    const tables = await Promise.all(IDENTITY_TABLES.map((table) => tableRows<IdentityRow>(agent, table)));
    const rows = tables
      .flat()
      .map(({ row }) => row)
      .sort((a, b) => a.id - b.id);
    if (output === 'json')
      printJson(
        cli.terminal,
        rows.map((row) => ({ ...row, labels: splitLabels(row.labels) })),
      );
    else
      cli.terminal.out(
        renderTable(
          ['IDENTITY', 'CLUSTER', 'LABELS'],
          rows.map(({ id, cluster, labels }) => [String(id), cluster, shortLabels(labels)]),
          cli.terminal.colour,
        ),
      );
  });
}
