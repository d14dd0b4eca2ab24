import { CodedError } from '@isthmus/core';
import { type Command, Option } from 'commander';
import { CLI_ONE_SIDE_LEFT, CLI_USAGE } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { findContext } from '../context/context-store.ts';
import { contextCluster, contextJoinApi } from '../context/open-context.ts';
import { EXIT } from '../exit-status.ts';
import { type DisconnectOutcome, disconnectClusters, disconnectOne, type Side } from '../join/disconnect-clusters.ts';
import { addContext, addExample, type ContextOptions } from '../options/common.ts';
import { errorText } from '../output/report-error.ts';

interface DisconnectOptions extends ContextOptions {
  destinationContext?: string;
  destinationCluster?: string;
  force?: boolean;
}

/** `clustermesh disconnect`: parts two clusters. */
export function addDisconnect(group: Command, cli: Cli): void {
  const command = group
    .command('disconnect')
    .description('Part two clusters, on both sides: each forgets what it knows of the other')
    .option('--destination-context <name>', 'context of the other cluster')
    .addOption(
      new Option(
        '--destination-cluster <name>',
        'name of the other cluster when no context of it is at hand: parts on this side only',
      ).conflicts(['destinationContext', 'force']),
    )
    .option('--force', 'go on when one side cannot be reached');
  addContext(command);
  addExample(command, 'isthmus clustermesh disconnect --context west --destination-context east');
  command.action((options: DisconnectOptions) => disconnect(cli, options));
}

async function disconnect(cli: Cli, options: DisconnectOptions): Promise<void> {
  const { context, destinationContext, destinationCluster, force } = options;
  if (destinationContext === undefined && destinationCluster === undefined)
    throw new CodedError(CLI_USAGE, 'name the other side with --destination-context or --destination-cluster');
  const first = await sideOf(cli, context);
  if (destinationCluster !== undefined) await disconnectHere(cli, first, destinationCluster);
  else report(cli, await disconnectClusters(first, await sideOf(cli, destinationContext), force ?? false));
}

async function sideOf(cli: Cli, name: string | undefined): Promise<Side> {
  const context = await findContext(cli, name);
  return { api: await contextJoinApi(cli, context), name: await contextCluster(context) };
}

async function disconnectHere(cli: Cli, { api }: Side, peer: string): Promise<void> {
  const { name } = await api.cluster();
  if (!(await disconnectOne(api, peer))) {
    cli.terminal.out(`${name} had no connection to ${peer}\n`);
    cli.exitStatus = EXIT.notFound;
    return;
  }
  cli.terminal.out(`${name} has let go of ${peer}\n`);
  warnOfLeft(cli, peer, name);
}

function report(cli: Cli, { first, second, ended, already, left }: DisconnectOutcome): void {
  const peerOf = (name: string): string => (name === first ? second : first);
  for (const name of ended) cli.terminal.out(`${name} has let go of ${peerOf(name)}\n`);
  for (const name of already) cli.terminal.out(`${name} had no connection to ${peerOf(name)}\n`);
  for (const name of left) warnOfLeft(cli, name, peerOf(name));
  if (ended.length === 0) cli.exitStatus = EXIT.notFound;
}

/** Not an error: it is what was asked for. But somebody has to finish it. */
function warnOfLeft(cli: Cli, name: string, peer: string): void {
  const warning = new CodedError(CLI_ONE_SIDE_LEFT, `${name} may still have ${peer} configured`, {
    object: name,
    action: `When ${name} can be reached, run "isthmus clustermesh disconnect --destination-cluster ${peer}" with its context.`,
  });
  cli.terminal.err(errorText(warning).replace(/^error/, 'warning'));
}
