import { CodedError } from '@isthmus/core';
import type { Command } from 'commander';
import { CLI_USAGE } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { addExample, addOutput, type OutputOptions } from '../options/common.ts';
import { printJson } from '../output/print-json.ts';
import { readManifests } from '../resource/read-manifests.ts';
import { addResourceOptions, objectTitle, type ResourceOptions, withResources } from '../resource/resource-options.ts';

interface ApplyOptions extends ResourceOptions, OutputOptions {
  filename?: string[];
}

/** `apply`: makes objects as files say. */
export function addApply(program: Command, cli: Cli): void {
  const command = program
    .command('apply')
    .description('Create objects, or make them as a file says. Everything is checked before anything is changed')
    .option('-f, --filename <path...>', 'file of one or more YAML or JSON documents, a folder of them, or - for standard input');
  addOutput(addResourceOptions(command));
  addExample(command, 'isthmus apply --context west -f web.yaml');
  command.action((options: ApplyOptions) => apply(cli, options));
}

async function apply(cli: Cli, options: ApplyOptions): Promise<void> {
  if (!options.filename) throw new CodedError(CLI_USAGE, 'name what to apply with -f');
  const manifests = await readManifests(cli, options.filename, options.namespace);
  const done: object[] = [];
  await withResources(cli, options, async (store) => {
    for (const { kind, object } of manifests) {
      const result = await store.apply(kind, object);
      const { name, namespace } = object.metadata;
      done.push({ kind: kind.kind, ...(namespace === undefined ? {} : { namespace }), name, result });
      if (options.output === 'table') cli.terminal.out(`${objectTitle(kind, name, namespace)} ${result}\n`);
    }
  });
  if (options.output === 'json') printJson(cli.terminal, done);
}
