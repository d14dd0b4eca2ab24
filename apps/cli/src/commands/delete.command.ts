import { CodedError } from '@isthmus/core';
import { RESOURCE_NOT_FOUND, type ResourceKind, type ResourceStore } from '@isthmus/model';
import { Argument, type Command } from 'commander';
import { CLI_USAGE } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { addExample } from '../options/common.ts';
import { readManifests } from '../resource/read-manifests.ts';
import { addResourceOptions, KIND_HELP, needKind, objectTitle, type ResourceOptions, withResources } from '../resource/resource-options.ts';

interface DeleteOptions extends ResourceOptions {
  filename?: string[];
  ignoreNotFound?: boolean;
}

interface Target {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly namespace: string | undefined;
}

/** `delete`: removes objects, by name or as files name them. */
export function addDelete(program: Command, cli: Cli): void {
  const command = program
    .command('delete')
    .description('Delete objects')
    .addArgument(new Argument('[kind]', KIND_HELP))
    .addArgument(new Argument('[names...]', 'names of the objects'))
    .option('-f, --filename <path...>', 'delete what these files name instead; - for standard input')
    .option('--ignore-not-found', 'objects that are not there are fine');
  addResourceOptions(command);
  addExample(command, 'isthmus delete service web -n shop', 'isthmus delete -f web.yaml');
  command.action(async (kind: string | undefined, names: string[], options: DeleteOptions) => {
    const targets = await findTargets(cli, kind, names, options);
    await withResources(cli, options, (store) => deleteAll(cli, store, targets, options.ignoreNotFound ?? false));
  });
}

async function findTargets(cli: Cli, kindName: string | undefined, names: readonly string[], options: DeleteOptions): Promise<Target[]> {
  const { filename, namespace } = options;
  if (filename && kindName !== undefined) throw new CodedError(CLI_USAGE, 'give a kind and names, or -f, not both');
  if (filename) {
    const manifests = await readManifests(cli, filename, namespace);
    return manifests.map(({ kind, object: { metadata } }) => ({ kind, name: metadata.name, namespace: metadata.namespace }));
  }
  if (kindName === undefined || names.length === 0) throw new CodedError(CLI_USAGE, 'give a kind and at least one name, or -f');
  const kind = needKind(kindName);
  return names.map((name) => ({ kind, name, namespace: kind.namespaced ? namespace : undefined }));
}

/** Goes on after one that is not there: the others are to go as well. */
async function deleteAll(cli: Cli, store: ResourceStore, targets: readonly Target[], ignoreMissing: boolean): Promise<void> {
  const errors: CodedError[] = [];
  for (const { kind, name, namespace } of targets) {
    const title = objectTitle(kind, name, namespace);
    if (await store.delete(kind, name, namespace)) cli.terminal.out(`${title} deleted\n`);
    else if (!ignoreMissing) errors.push(new CodedError(RESOURCE_NOT_FOUND, 'there is no such object', { object: title }));
  }
  if (errors.length > 0) throw new AggregateError(errors, '');
}
