import { messageOf } from '@isthmus/core';
import { type Resource, type ResourceChange, type ResourceKind, type ResourceStore, withoutSecretData } from '@isthmus/model';
import { stringify } from 'yaml';
import type { Cli } from '../cli.ts';
import type { OutputOptions } from '../options/common.ts';
import { columnWidths, renderRow } from '../output/print-table.ts';
import { kindCells, kindHeadings } from './kind-columns.ts';

/** What is watched and how it is shown. */
export interface WatchOrder {
  readonly kind: ResourceKind;
  readonly withNamespace: boolean;
  readonly output: OutputOptions['output'];
  wanted(key: string): boolean;
}

/** Prints objects and their changes until Ctrl-C: lines of a table, JSON objects a line, or YAML documents. Lost contact is told, and restored. */
export async function watchObjects(cli: Cli, store: ResourceStore, order: WatchOrder): Promise<void> {
  const print = order.output === 'table' ? tablePrinter(cli, order) : programPrinter(cli, order);
  await store.watch(
    order.kind,
    {
      onBatch: (changes) => print(changes.filter(({ key }) => order.wanted(key))),
      onSynced: () => undefined,
      onDisconnected: (error) => cli.terminal.err(`warning: contact was lost and is being restored: ${messageOf(error)}\n`),
      onInvalid: (key, error) => cli.terminal.err(`warning: ${order.kind.kind} ${key} is not valid: ${messageOf(error)}\n`),
    },
    cli.interrupted,
  );
}

type Printer = (changes: readonly ResourceChange<Resource>[]) => void;

function programPrinter(cli: Cli, { kind, output }: WatchOrder): Printer {
  return (changes) => {
    for (const { key, object } of changes) {
      const event = object ? { type: 'set', object: withoutSecretData(object) } : { type: 'deleted', kind: kind.kind, key };
      cli.terminal.out(output === 'json' ? `${JSON.stringify(event)}\n` : `---\n${stringify(event)}`);
    }
  };
}

/** Columns grow when a wider cell comes and never shrink, so that lines stay under each other as well as they can. */
function tablePrinter(cli: Cli, { kind, withNamespace }: WatchOrder): Printer {
  const headings = kindHeadings(kind, withNamespace);
  let widths = headings.map((heading) => heading.length);
  let headed = false;
  const line = (cells: readonly string[]): void => cli.terminal.out(renderRow(cells, widths));
  return (changes) => {
    const rows = changes.map(({ key, object }) => (object ? kindCells(kind, object, withNamespace, cli.clock.wall()) : goneCells(key)));
    const needed = columnWidths(headings, rows);
    widths = widths.map((width, column) => Math.max(width, needed[column] as number));
    if (!headed && rows.length > 0) line(headings);
    headed ||= rows.length > 0;
    for (const row of rows) line(row);
  };

  function goneCells(key: string): string[] {
    const slash = key.indexOf('/');
    const name = key.slice(slash + 1);
    return withNamespace ? [key.slice(0, slash), name, '(deleted)'] : [name, '(deleted)'];
  }
}
