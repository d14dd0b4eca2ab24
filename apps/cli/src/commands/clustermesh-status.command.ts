import { isCoded } from '@isthmus/core';
import { type Certificates, type ClusterInfo, JOIN_API_UNREACHABLE, type JoinApi, type RemoteStatus } from '@isthmus/crypto';
import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { findContext } from '../context/context-store.ts';
import { contextJoinApi } from '../context/open-context.ts';
import { EXIT } from '../exit-status.ts';
import { certificatesText } from '../join/certificates-text.ts';
import { remoteStatusText } from '../join/remote-status-text.ts';
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
import { printJson } from '../output/print-json.ts';

interface StatusOptions extends ContextOptions, OutputOptions, WaitOptions {}

interface MeshStatus {
  readonly cluster: ClusterInfo;
  readonly remotes: readonly RemoteStatus[];
  readonly certificates: Certificates;
}

/** `clustermesh status`: how each remote cluster does, as this one sees it. */
export function addClustermeshStatus(group: Command, cli: Cli): void {
  const command = group
    .command('status')
    .description('Show how a cluster is connected to others, and its certificates. Ends with status 3 while a cluster is not ready');
  addOutput(addWait(addContext(command), 'every connected cluster is ready'));
  addExample(command, 'isthmus clustermesh status --context west --wait --wait-duration 5m');
  command.action((options: StatusOptions) => status(cli, options));
}

async function status(cli: Cli, options: StatusOptions): Promise<void> {
  const api = await contextJoinApi(cli, await findContext(cli, options.context));
  let last: MeshStatus | undefined;
  const look = async (): Promise<Look<MeshStatus>> => {
    last = await readStatus(api);
    return { seen: last, missing: options.wait ? missingIn(last) : '' };
  };
  try {
    print(
      cli,
      await waitUntil(cli, options.wait ? options.waitDuration : 0, look, (error) => isCoded(error, JOIN_API_UNREACHABLE)),
      options,
    );
  } catch (error) {
    // Whoever waited in vain wants to see for what.
    if (last) print(cli, last, options);
    throw error;
  }
}

async function readStatus(api: JoinApi): Promise<MeshStatus> {
  const [cluster, remotes, certificates] = await Promise.all([api.cluster(), api.remotes(), api.certificates()]);
  return { cluster, remotes, certificates };
}

/** A cluster that was joined a moment ago may not be in the list of remotes yet. */
function missingIn({ cluster, remotes }: MeshStatus): string {
  const ready = new Set(remotes.filter((remote) => remote.ready).map(({ name }) => name));
  const names = new Set([...cluster.clusters.map(({ name }) => name), ...remotes.map(({ name }) => name)]);
  return [...names].filter((name) => !ready.has(name)).join(', ');
}

function print(cli: Cli, seen: MeshStatus, { output }: StatusOptions): void {
  const { name, id, problems } = seen.cluster;
  const { cluster, remotes, certificates } = seen;
  const ready = missingIn(seen) === '' && problems === undefined;
  const now = cli.clock.wall();
  if (output === 'json') printJson(cli.terminal, { cluster: { name, id, ...(problems && { problems }) }, ready, remotes, ...certificates });
  else {
    cli.terminal.out(remoteStatusText(cluster, remotes, now, cli.terminal.colour));
    cli.terminal.out(certificatesText(certificates, now, cli.terminal.colour));
  }
  if (!ready) cli.exitStatus = EXIT.notReady;
}
