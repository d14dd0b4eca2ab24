import { CodedError } from '@isthmus/core';
import { type ConnectOutcome, connectClusters, type JoinApi } from '@isthmus/crypto';
import { type Command, Option } from 'commander';
import { CLI_USAGE } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { findContext } from '../context/context-store.ts';
import { contextJoinApi, tokenJoinApi } from '../context/open-context.ts';
import { addContext, addExample, addOutput, type ContextOptions, type OutputOptions } from '../options/common.ts';
import { parseEndpoint } from '../options/endpoint.ts';
import { addTokenOptions, needToken, type TokenOptions } from '../options/token.ts';
import { printJson } from '../output/print-json.ts';

interface ConnectOptions extends ContextOptions, TokenOptions, OutputOptions {
  destinationContext?: string[];
  destinationEndpoint?: string;
}

/** `clustermesh connect`: joins clusters. */
export function addConnect(group: Command, cli: Cli): void {
  const command = group
    .command('connect')
    .description('Join a cluster with others. Run again, it renews certificates and addresses')
    .option('--destination-context <name...>', 'context of each cluster to join with')
    .addOption(
      new Option('--destination-endpoint <host:port>', 'join API of a cluster of which no context is at hand; needs a token')
        .argParser(parseEndpoint)
        .conflicts('destinationContext'),
    );
  addOutput(addTokenOptions(addContext(command)));
  addExample(
    command,
    'isthmus clustermesh connect --context west --destination-context east',
    'isthmus clustermesh connect --context west --destination-endpoint east.example.org:4280 --token-file token',
  );
  command.action((options: ConnectOptions) => connect(cli, options));
}

async function connect(cli: Cli, options: ConnectOptions): Promise<void> {
  const first = await contextJoinApi(cli, await findContext(cli, options.context));
  const outcomes: ConnectOutcome[] = [];
  // One after the other: each must be checked against those that joined before it.
  for (const second of await destinations(cli, options)) {
    const outcome = await connectClusters(first, second);
    outcomes.push(outcome);
    if (options.output === 'table') cli.terminal.out(outcomeText(outcome));
  }
  if (options.output === 'json') printJson(cli.terminal, outcomes);
}

async function destinations(cli: Cli, options: ConnectOptions): Promise<JoinApi[]> {
  const { destinationContext, destinationEndpoint } = options;
  if (destinationContext)
    return await Promise.all(destinationContext.map(async (name) => contextJoinApi(cli, await findContext(cli, name))));
  if (destinationEndpoint === undefined) throw new CodedError(CLI_USAGE, 'name the other side with --destination-context or -endpoint');
  return [tokenJoinApi(cli, destinationEndpoint, await needToken(cli, options, 'isthmus clustermesh token create'))];
}

function outcomeText({ first, second, isNew }: ConnectOutcome): string {
  return isNew
    ? `${first} and ${second} are connected\n`
    : `${first} and ${second} were connected already; their certificates are renewed\n`;
}
