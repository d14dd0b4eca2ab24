import type { RevocationDone } from '@isthmus/crypto';
import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { findContext } from '../context/context-store.ts';
import { contextJoinApi } from '../context/open-context.ts';
import { addContext, addExample, addOutput, type ContextOptions, type OutputOptions } from '../options/common.ts';
import { printJson } from '../output/print-json.ts';

interface RevokeOptions extends ContextOptions, OutputOptions {}

/** `clustermesh revoke`: takes a cluster's access away, and nothing else. */
export function addRevoke(group: Command, cli: Cli): void {
  const command = group
    .command('revoke')
    .argument('<cluster>', 'name of the connected cluster')
    .description(
      "Withdraw a connected cluster's access to this one's state, at once. What is known of it stays; connecting anew gives it another certificate",
    );
  addOutput(addContext(command));
  addExample(command, 'isthmus clustermesh revoke east --context west');
  command.action(async (cluster: string, options: RevokeOptions) => {
    const api = await contextJoinApi(cli, await findContext(cli, options.context));
    const done = await api.revoke(cluster);
    if (options.output === 'json') printJson(cli.terminal, done);
    else report(cli, done);
  });
}

function report(cli: Cli, { name, certificates, connectionsEnded }: RevocationDone): void {
  cli.terminal.out(`${name} may not read this cluster any more: ${certificates} certificates are revoked\n`);
  if (connectionsEnded !== null) return;
  cli.terminal.err(
    'warning: connections that it has open could not be ended from the apiserver, and go on reading\n  what to do: Restart the mesh etcd now.\n',
  );
}
