import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CodedError, messageOf } from '@isthmus/core';
import { readCertificateFile } from '@isthmus/crypto';
import { type Command, Option } from 'commander';
import { CLI_FILE, CLI_USAGE } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { type Context, withContext, withoutContext } from '../context/context-file.ts';
import { contextPath, needContext, readContexts, writeContexts } from '../context/context-store.ts';
import { addExample, addOutput, type OutputOptions } from '../options/common.ts';
import { parseEndpoint } from '../options/endpoint.ts';
import { printJson } from '../output/print-json.ts';
import { renderTable } from '../output/print-table.ts';

interface SetOptions {
  endpoint?: string;
  ca?: string;
  embedCa?: boolean;
  cert?: string;
  key?: string;
  etcd?: string;
}

/** `context …`: how clusters are reached, and as whom. */
export function addContextGroup(program: Command, cli: Cli): void {
  const group = program
    .command('context')
    .description('Clusters that this person works with: in ~/.isthmus/config, or where ISTHMUS_CONFIG says');
  addSet(group, cli);
  addUse(group, cli);
  addList(group, cli);
  addDelete(group, cli);
}

function addSet(group: Command, cli: Cli): void {
  const command = group
    .command('set')
    .argument('<name>', 'name of the context; that of the cluster is a good one')
    .description('Make a context, or change parts of one. The first one becomes the current one')
    .addOption(new Option('--endpoint <host:port>', "the cluster's join API").argParser(parseEndpoint))
    .option('--ca <file>', "the cluster's CA certificate")
    .option('--embed-ca', "put the CA's certificate into the context, instead of the path")
    .option('--cert <file>', 'certificate to call with')
    .option('--key <file>', 'its private key; only the path is kept')
    .option('--etcd <file>', 'etcd client file of the cluster etcd, for apply, get and delete');
  addExample(command, 'isthmus context set west --endpoint 192.0.2.10:4280 --ca ca.crt --cert admin-west.crt --key admin-west.key');
  command.action(async (name: string, options: SetOptions) => {
    const context = await contextOf(name, options);
    const file = withContext(await readContexts(cli), context);
    await writeContexts(cli, file);
    cli.terminal.out(`context ${name} is written to ${contextPath(cli)}${file.current === name ? '; it is the current one' : ''}\n`);
  });
}

async function contextOf(name: string, { endpoint, ca, embedCa, cert, key, etcd }: SetOptions): Promise<Context> {
  if ((cert === undefined) !== (key === undefined)) throw new CodedError(CLI_USAGE, '--cert and --key go together');
  if (embedCa && ca === undefined) throw new CodedError(CLI_USAGE, '--embed-ca goes with --ca');
  return {
    name,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(ca === undefined ? {} : { ca: embedCa ? await readCertificateFile(ca) : await existing(ca) }),
    ...(cert === undefined || key === undefined ? {} : { credential: { cert: await existing(cert), key: await existing(key) } }),
    ...(etcd === undefined ? {} : { etcd: await existing(etcd) }),
  };
}

/** Absolute: commands are run from anywhere. */
async function existing(path: string): Promise<string> {
  try {
    await access(path);
    return resolve(path);
  } catch (cause) {
    throw new CodedError(CLI_FILE, messageOf(cause), { object: path, cause });
  }
}

function addUse(group: Command, cli: Cli): void {
  const command = group.command('use').argument('<name>', 'name of the context').description('Make a context the current one');
  addExample(command, 'isthmus context use west');
  command.action(async (name: string) => {
    const { contexts } = await readContexts(cli);
    needContext(contexts, name);
    await writeContexts(cli, { current: name, contexts });
    cli.terminal.out(`${name} is the current context\n`);
  });
}

function addList(group: Command, cli: Cli): void {
  const command = group.command('list').description('Show all contexts');
  addOutput(command);
  addExample(command, 'isthmus context list');
  command.action(async ({ output }: OutputOptions) => {
    const { current, contexts } = await readContexts(cli);
    if (output === 'json') {
      printJson(cli.terminal, { current: current ?? null, contexts });
      return;
    }
    const rows = contexts.map(({ name, endpoint, credential, etcd }) => [
      name === current ? '*' : '',
      name,
      endpoint ?? '-',
      credential?.cert ?? '-',
      etcd ?? '-',
    ]);
    cli.terminal.out(renderTable(['CURRENT', 'NAME', 'ENDPOINT', 'CERTIFICATE', 'ETCD'], rows, cli.terminal.colour));
  });
}

function addDelete(group: Command, cli: Cli): void {
  const command = group
    .command('delete')
    .argument('<name>', 'name of the context')
    .description('Forget a context. Files that it names stay');
  addExample(command, 'isthmus context delete west');
  command.action(async (name: string) => {
    const file = await readContexts(cli);
    needContext(file.contexts, name);
    await writeContexts(cli, withoutContext(file, name));
    cli.terminal.out(`context ${name} is forgotten\n`);
  });
}
