import { CodedError } from '@isthmus/core';
import type { WireGuardTargets } from '@isthmus/mesh';
import { CLI_ENCRYPTION_OFF } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { findContext } from '../context/context-store.ts';
import { contextTargets } from '../context/open-context.ts';
import type { StoreOptions } from '../resource/resource-options.ts';

/**
 * Opens the target of the cluster that the options name, lets `work` use it as `user`, and closes it.
 * @throws CodedError CLI_ENCRYPTION_OFF when the cluster has none
 */
export async function withTargets<T>(
  cli: Cli,
  { etcdConfig, context }: StoreOptions,
  work: (targets: WireGuardTargets, user: string) => Promise<T>,
): Promise<T> {
  const open =
    etcdConfig === undefined ? await contextTargets(cli, await findContext(cli, context)) : await cli.connect.targets(etcdConfig);
  try {
    if (open.targets === undefined) throw new CodedError(CLI_ENCRYPTION_OFF, 'its operator has not begun with keys');
    return await work(open.targets, open.user);
  } finally {
    open.close();
  }
}
