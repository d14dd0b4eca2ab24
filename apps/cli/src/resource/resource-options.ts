import { CodedError } from '@isthmus/core';
import { findKind, KINDS, RESOURCE_KIND_UNKNOWN, type ResourceKind, type ResourceStore } from '@isthmus/model';
import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { findContext } from '../context/context-store.ts';
import { contextResources } from '../context/open-context.ts';
import { addContext, type ContextOptions } from '../options/common.ts';

/** Which store of resources a command works on. */
export interface StoreOptions extends ContextOptions {
  etcdConfig?: string;
}

/** The same, and in which namespace. */
export interface ResourceOptions extends StoreOptions {
  namespace: string;
}

/** Adds the options of {@link StoreOptions}. */
export function addStoreOptions(command: Command): Command {
  return addContext(command).option('--etcd-config <file>', 'etcd client file of the cluster etcd, instead of that of a context');
}

/** Adds the options of {@link ResourceOptions}. */
export function addResourceOptions(command: Command): Command {
  return addStoreOptions(command).option('-n, --namespace <name>', 'namespace of objects that name none', 'default');
}

/** Opens the store that the options name, lets `work` use it, and closes it. */
export async function withResources<T>(cli: Cli, options: StoreOptions, work: (store: ResourceStore) => Promise<T>): Promise<T> {
  const { etcdConfig, context } = options;
  const open =
    etcdConfig === undefined ? await contextResources(cli, await findContext(cli, context)) : await cli.connect.resources(etcdConfig);
  try {
    return await work(open.store);
  } finally {
    open.close();
  }
}

/** The kind that a person named. @throws CodedError RESOURCE_KIND_UNKNOWN */
export function needKind(name: string): ResourceKind {
  const kind = findKind(name);
  if (kind) return kind;
  const action = `Kinds are ${KINDS.map(({ plural }) => plural).join(', ')}.`;
  throw new CodedError(RESOURCE_KIND_UNKNOWN, 'no kind has this name', { object: name, action });
}

/** What a person calls an object: `pod default/web`. */
export function objectTitle(kind: ResourceKind, name: string, namespace?: string): string {
  return `${kind.kind} ${kind.namespaced && namespace !== undefined ? `${namespace}/` : ''}${name}`;
}

/** Kinds for the help of a command. */
export const KIND_HELP = `kind of object: ${KINDS.map(({ plural }) => plural).join(', ')}, or a short form such as po, svc, ns`;
