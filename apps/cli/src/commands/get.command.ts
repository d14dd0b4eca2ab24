import { CodedError } from '@isthmus/core';
import { RESOURCE_NOT_FOUND, type Resource, type ResourceKind, type ResourceStore, withoutSecretData } from '@isthmus/model';
import { Argument, type Command } from 'commander';
import { stringify } from 'yaml';
import { CLI_USAGE } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { addExample, addOutput, type OutputOptions } from '../options/common.ts';
import { printJson } from '../output/print-json.ts';
import { renderTable } from '../output/print-table.ts';
import { kindCells, kindHeadings } from '../resource/kind-columns.ts';
import { addResourceOptions, KIND_HELP, needKind, objectTitle, type ResourceOptions, withResources } from '../resource/resource-options.ts';
import { watchObjects } from '../resource/watch-objects.ts';

interface GetOptions extends ResourceOptions, OutputOptions {
  allNamespaces?: boolean;
  watch?: boolean;
}

/** What `get` was asked for. */
interface Query {
  readonly kind: ResourceKind;
  readonly name: string | undefined;
  /** Undefined: all. */
  readonly namespace: string | undefined;
}

/** `get`: shows objects. */
export function addGet(program: Command, cli: Cli): void {
  const command = program
    .command('get')
    .description('Show objects')
    .addArgument(new Argument('<kind>', KIND_HELP))
    .addArgument(new Argument('[name]', 'only the object of this name'))
    .option('-A, --all-namespaces', 'objects of every namespace')
    .option('-w, --watch', 'show what there is, then every change, until Ctrl-C');
  addOutput(addResourceOptions(command), ['table', 'json', 'yaml']);
  addExample(command, 'isthmus get pods -A', 'isthmus get service web -n shop -o yaml');
  command.action(async (kindName: string, name: string | undefined, options: GetOptions) => {
    const kind = needKind(kindName);
    if (name !== undefined && options.allNamespaces) throw new CodedError(CLI_USAGE, 'a name goes with one namespace, not with -A');
    const query = { kind, name, namespace: kind.namespaced && !options.allNamespaces ? options.namespace : undefined };
    await withResources(cli, options, (store) => (options.watch ? watch : list)(cli, store, query, options.output));
  });
}

async function list(cli: Cli, store: ResourceStore, query: Query, output: OutputOptions['output']): Promise<void> {
  const { kind, name, namespace } = query;
  const found = name === undefined ? await store.list(kind, namespace) : [await find(store, query, name)];
  const objects = found.map(withoutSecretData);
  if (output !== 'table') {
    printObjects(cli, name === undefined ? { apiVersion: 'v1', kind: 'List', items: objects } : objects[0], output);
    return;
  }
  if (objects.length === 0) {
    cli.terminal.err(namespace === undefined ? `there are no ${kind.plural}\n` : `there are no ${kind.plural} in namespace ${namespace}\n`);
    return;
  }
  const withNamespace = kind.namespaced && namespace === undefined;
  const rows = objects.map((object) => kindCells(kind, object, withNamespace, cli.clock.wall()));
  cli.terminal.out(renderTable(kindHeadings(kind, withNamespace), rows, cli.terminal.colour));
}

async function find(store: ResourceStore, { kind, namespace }: Query, name: string): Promise<Resource> {
  const object = await store.get(kind, name, namespace);
  if (object) return object;
  const title = objectTitle(kind, name, namespace);
  throw new CodedError(RESOURCE_NOT_FOUND, 'there is no such object', { object: title });
}

function printObjects(cli: Cli, value: unknown, output: 'json' | 'yaml'): void {
  if (output === 'json') printJson(cli.terminal, value);
  else cli.terminal.out(stringify(value));
}

async function watch(cli: Cli, store: ResourceStore, { kind, name, namespace }: Query, output: OutputOptions['output']): Promise<void> {
  const wanted = (key: string): boolean => {
    const slash = key.indexOf('/');
    const [space, own] = kind.namespaced ? [key.slice(0, slash), key.slice(slash + 1)] : [undefined, key];
    return (name === undefined || own === name) && (namespace === undefined || space === namespace);
  };
  const withNamespace = kind.namespaced && namespace === undefined;
  await watchObjects(cli, store, { kind, wanted, output, withNamespace });
}
