import type { EndpointRow, LocalAddressRow } from '@isthmus/model';
import type { Command } from 'commander';
import { tableRows } from '../agent/agent-answers.ts';
import { shortLabels, splitLabels } from '../agent/identity-labels.ts';
import type { Cli } from '../cli.ts';
import { addExample, addOutput, addSocket, type OutputOptions, type SocketOptions } from '../options/common.ts';
import { printJson } from '../output/print-json.ts';
import { type Cell, renderTable } from '../output/print-table.ts';

const HEADINGS = ['ENDPOINT', 'POD', 'STATE', 'IDENTITY', 'IPV4', 'IPV6', 'INTERFACE', 'LABELS'];

/** `endpoint list`: the pods of this node. */
export function addEndpoint(program: Command, cli: Cli): void {
  const command = program.command('endpoint').description("This node's pods").command('list').description("Show this node's pods");
  addSocket(addOutput(command));
  addExample(command, 'isthmus endpoint list');
  command.action(async ({ socket, output }: OutputOptions & SocketOptions) => {
    const agent = cli.connect.agent(socket);
    const [endpoints, addresses] = await Promise.all([
      tableRows<EndpointRow>(agent, 'endpoints'),
      tableRows<LocalAddressRow>(agent, 'local-addresses'),
    ]);
    const ready = new Set(addresses.filter(({ row }) => row.ready).map(({ row }) => row.endpoint));
    const rows = endpoints.map(({ row }) => row).sort((a, b) => a.id - b.id);
    if (output === 'json')
      printJson(
        cli.terminal,
        rows.map((row) => ({ ...row, labels: splitLabels(row.labels), ready: ready.has(row.id) })),
      );
    else
      cli.terminal.out(
        renderTable(
          HEADINGS,
          rows.map((row) => cells(row, ready.has(row.id))),
          cli.terminal.colour,
        ),
      );
  });
}

function cells(row: EndpointRow, ready: boolean): Cell[] {
  const state = row.identity === 0 ? 'waiting-for-identity' : 'not-ready';
  return [
    String(row.id),
    `${row.namespace}/${row.pod}`,
    ready ? { text: 'ready', tone: 'good' } : { text: state, tone: 'doubtful' },
    row.identity === 0 ? '-' : String(row.identity),
    row.ipv4 || '-',
    row.ipv6 || '-',
    row.interfaceName,
    shortLabels(row.labels),
  ];
}
