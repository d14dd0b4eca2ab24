import { CodedError } from '@isthmus/core';
import type { Command } from 'commander';
import { agentTables, type TableRow, tableRows } from '../agent/agent-answers.ts';
import { CLI_NOT_FOUND } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { addExample, addOutput, addSocket, type OutputOptions, type SocketOptions } from '../options/common.ts';
import { renderObjects } from '../output/generic-rows.ts';
import { printJson } from '../output/print-json.ts';
import { renderTable } from '../output/print-table.ts';

type TableOptions = OutputOptions & SocketOptions;

/** `table list|get`: what the agent believes. */
export function addTable(program: Command, cli: Cli): void {
  const group = program.command('table').description("The agent's tables: what it believes, and what it wants the kernel to be");
  const list = group.command('list').description('Show all tables: how many rows each has, and what it still waits for');
  addSocket(addOutput(list));
  addExample(list, 'isthmus table list');
  list.action((options: TableOptions) => listTables(cli, options));
  const get = group
    .command('get')
    .argument('<table>', 'name of the table')
    .argument('[key]', 'only the row with this key')
    .description('Show the rows of a table');
  addSocket(addOutput(get));
  addExample(get, 'isthmus table get ipcache', 'isthmus table get ipcache 10.2.0.7');
  get.action((table: string, key: string | undefined, options: TableOptions) => getRows(cli, table, key, options));
}

async function listTables(cli: Cli, { socket, output }: TableOptions): Promise<void> {
  const tables = await agentTables(cli.connect.agent(socket));
  if (output === 'json') {
    printJson(cli.terminal, tables);
    return;
  }
  const rows = tables.map(({ name, rows, scopes }) => [
    name,
    String(rows),
    Object.entries(scopes)
      .map(([scope, synced]) => (synced ? scope : `${scope} (not synced)`))
      .join(', '),
  ]);
  cli.terminal.out(renderTable(['TABLE', 'ROWS', 'SCOPES'], rows, cli.terminal.colour));
}

async function getRows(cli: Cli, table: string, key: string | undefined, { socket, output }: TableOptions): Promise<void> {
  const rows = await tableRows(cli.connect.agent(socket), table, key);
  if (key !== undefined && rows.length === 0)
    throw new CodedError(CLI_NOT_FOUND, 'the table has no row with this key', { object: `${table} ${key}` });
  if (output === 'json') printJson(cli.terminal, key === undefined ? rows : rows[0]);
  else cli.terminal.out(renderObjects(rows.map(flat), cli.terminal.colour));
}

/** A row's fields beside its key; a row that is no object is a field of its own. A field called key must not hide the row's. */
function flat({ key, row }: TableRow): Record<string, unknown> {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return { key, row };
  const { key: field, ...others } = row as Record<string, unknown>;
  return { key, ...others, ...(field === undefined ? {} : { rowKey: field }) };
}
