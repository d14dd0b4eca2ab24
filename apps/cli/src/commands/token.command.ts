import type { TokenRequest, TokenResponse } from '@isthmus/crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Cli } from '../cli.ts';
import type { Context } from '../context/context-file.ts';
import { findContext } from '../context/context-store.ts';
import { contextJoinApi } from '../context/open-context.ts';
import { addContext, addExample, addOutput, type ContextOptions, type OutputOptions } from '../options/common.ts';
import { parseDuration } from '../options/duration.ts';
import { printJson } from '../output/print-json.ts';

const DAY_MS = 86_400_000;

interface TokenCreateOptions extends ContextOptions, OutputOptions {
  /** Milliseconds. */
  ttl?: number;
}

/** Adds `--ttl`. */
function addTtl(command: Command): Command {
  return command.addOption(
    new Option('--ttl <time>', 'how long the token may be used, as 30s or 2h; ten minutes when absent').argParser(parseTtl),
  );
}

/** A span that a token may live: whole seconds, at most a day. */
function parseTtl(text: string): number {
  const ms = parseDuration(text);
  if (ms < 1_000 || ms > DAY_MS) throw new InvalidArgumentError('A token lives from one second to a day.');
  return ms;
}

/** `clustermesh token create`: lets somebody else join this cluster with theirs, once. */
export function addClusterToken(group: Command, cli: Cli): void {
  const command = group
    .command('token')
    .description('One-time tokens for joining clusters')
    .command('create')
    .argument('[cluster]', 'name of the only cluster that may use it; any when absent')
    .description('Make a token with which another cluster can be joined with this one: once, within ten minutes unless told otherwise');
  addOutput(addTtl(addContext(command)));
  addExample(command, 'isthmus clustermesh token create --context east');
  command.action(async (subject: string | undefined, options: TokenCreateOptions) => {
    const order: TokenRequest = { kind: 'cluster', ...(subject === undefined ? {} : { subject }) };
    await create(
      cli,
      options,
      order,
      ({ endpoint }) => `isthmus clustermesh connect --destination-endpoint ${hostOf(endpoint)} --token-file -`,
    );
  });
}

/** `node token create`: lets a machine become a node of this cluster, once. */
export function addNodeToken(group: Command, cli: Cli): void {
  const command = group
    .command('token')
    .description('One-time tokens for enrolling nodes')
    .command('create')
    .argument('<node>', 'name of the node')
    .description('Make a token with which a machine gets the certificates of a node: once, within ten minutes unless told otherwise');
  addOutput(addTtl(addContext(command)));
  addExample(command, 'isthmus node token create n1 --context west');
  command.action(async (node: string, options: TokenCreateOptions) => {
    await create(
      cli,
      options,
      { kind: 'node', subject: node },
      ({ endpoint }) => `isthmus node enrol --endpoint ${hostOf(endpoint)} --name ${node} --dir /var/lib/isthmus --token-file -`,
    );
  });
}

/** The token goes to standard output alone, so that a script can take it; what to do with it goes to standard error. */
async function create(cli: Cli, options: TokenCreateOptions, order: TokenRequest, useIt: (context: Context) => string): Promise<void> {
  const context = await findContext(cli, options.context);
  const ttl = options.ttl === undefined ? {} : { ttlSeconds: Math.ceil(options.ttl / 1000) };
  const answer: TokenResponse = await (await contextJoinApi(cli, context)).createToken({ ...order, ...ttl });
  if (options.output === 'json') {
    printJson(cli.terminal, answer);
    return;
  }
  cli.terminal.out(`${answer.token}\n`);
  cli.terminal.err(`It can be used once, until ${answer.expires}. In the other place run this, and give it the token on standard input:\n`);
  cli.terminal.err(`  ${useIt(context)}\n`);
}

function hostOf(endpoint: string | undefined): string {
  return (endpoint ?? '').replace(/^https:\/\//, '');
}
