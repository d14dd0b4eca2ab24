import { isCoded } from '@isthmus/core';
import { CA_CHANGE_WAITS, type CaStatus, caPin, type JoinApi, splitPem } from '@isthmus/crypto';
import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { findContext } from '../context/context-store.ts';
import { contextBundle, contextJoinApi } from '../context/open-context.ts';
import {
  addContext,
  addExample,
  addOutput,
  addWait,
  type ContextOptions,
  type OutputOptions,
  type WaitOptions,
} from '../options/common.ts';
import { type Look, waitUntil } from '../options/wait.ts';
import { spanText } from '../output/ago.ts';
import { printJson } from '../output/print-json.ts';
import { renderTable } from '../output/print-table.ts';

interface CaOptions extends ContextOptions, OutputOptions {}
interface RetireOptions extends CaOptions, WaitOptions {
  force?: boolean;
}

/** `cluster ca …`: changes the CA of a running cluster. */
export function addClusterCa(group: Command, cli: Cli): void {
  const ca = group.command('ca').description('Change the CA of a running cluster: rotate, wait until everybody has taken it over, retire');
  addStatus(ca, cli);
  addRotate(ca, cli);
  addRetire(ca, cli);
}

function addStatus(group: Command, cli: Cli): void {
  const command = group.command('status').description('Show which CAs are trusted, and who still needs the former one');
  addOutput(addContext(command));
  addExample(command, 'isthmus cluster ca status --context west');
  command.action(async (options: CaOptions) => print(cli, options, await (await openApi(cli, options)).ca()));
}

function addRotate(group: Command, cli: Cli): void {
  const command = group
    .command('rotate')
    .description('Step 1: a new CA signs from now on; both are trusted. Certificates are replaced by themselves, under traffic');
  addOutput(addContext(command));
  addExample(command, 'isthmus cluster ca rotate --context west');
  command.action(async (options: CaOptions) => {
    print(cli, options, await (await openApi(cli, options)).rotateCa());
    if (options.output !== 'json')
      cli.terminal.err('when nobody needs the former CA any more, drop it:\n  isthmus cluster ca retire --wait\n');
  });
}

function addRetire(group: Command, cli: Cli): void {
  const command = group
    .command('retire')
    .description('Step 2: the former CA is trusted no more. Refused while somebody would be locked out')
    .option('--force', 'retire it all the same');
  addOutput(addWait(addContext(command), 'nobody needs the former CA any more'));
  addExample(command, 'isthmus cluster ca retire --context west --wait --wait-duration 15m');
  command.action((options: RetireOptions) => retire(cli, options));
}

async function retire(cli: Cli, options: RetireOptions): Promise<void> {
  const api = await openApi(cli, options);
  if (!options.force) await warnOfContext(cli, options, await api.ca());
  const look = async (): Promise<Look<CaStatus>> => ({ seen: await api.retireCa(options.force ?? false), missing: '' });
  print(cli, options, await waitUntil(cli, options.wait ? options.waitDuration : 0, look, (error) => isCoded(error, CA_CHANGE_WAITS)));
}

async function openApi(cli: Cli, { context }: CaOptions): Promise<JoinApi> {
  return await contextJoinApi(cli, await findContext(cli, context));
}

/** A context may carry a copy of the CA, which nobody renews but its owner. */
async function warnOfContext(cli: Cli, { context }: CaOptions, { cas }: CaStatus): Promise<void> {
  const mine = await findContext(cli, context);
  const trusted = splitPem(await contextBundle(mine)).map(caPin);
  const signer = cas.find(({ signs }) => signs);
  if (signer && cas.length > 1 && !trusted.includes(signer.pin))
    cli.terminal.err(
      `warning: context ${mine.name} trusts the former CA only\n  what to do: Give it the new ca.crt: isthmus context set ${mine.name} --ca FILE\n`,
    );
}

function print(cli: Cli, { output }: CaOptions, status: CaStatus): void {
  if (output === 'json') {
    printJson(cli.terminal, status);
    return;
  }
  const now = cli.clock.wall();
  const rows = status.cas.map(({ name, pin, notAfter, signs }) => {
    const left = spanText((Date.parse(notAfter) - now) / 1000);
    return [name, signs ? 'signs' : 'trusted until retired', left, pin.slice(0, 16)];
  });
  cli.terminal.out(renderTable(['CA', 'ROLE', 'EXPIRES IN', 'PIN'], rows, cli.terminal.colour));
  for (const { name, why } of status.waitsFor) cli.terminal.out(`${name} ${why}\n`);
  for (const server of status.stillTrusted)
    cli.terminal.out(`${server} still trusts a former CA: it reads its CAs when it starts\n  what to do: Restart it.\n`);
}
