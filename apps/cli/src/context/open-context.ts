import { CodedError } from '@isthmus/core';
import { certificateFacts, clientNames, type JoinApi, parseToken, readCertificateFile, readKeyFile } from '@isthmus/crypto';
import { CLI_CONTEXT_INCOMPLETE } from '../cli.errors.ts';
import type { Cli, OpenResources, OpenTargets } from '../cli.ts';
import type { Context } from './context-file.ts';

/** The join API of a context's cluster, called with the context's certificate. @throws CodedError CLI_CONTEXT_INCOMPLETE, KEY_FILE_* */
export async function contextJoinApi(cli: Cli, context: Context): Promise<JoinApi> {
  const endpoint = need(context, 'endpoint', '--endpoint');
  const { cert, key } = need(context, 'credential', '--cert and --key');
  const [caBundle, certPem, keyPem] = [await pemOf(need(context, 'ca', '--ca')), await readCertificateFile(cert), await readKeyFile(key)];
  return cli.connect.joinApi({ endpoint, trust: { caBundle }, credential: { certPem, keyPem } });
}

/** The CAs that a context trusts, PEM. @throws CodedError CLI_CONTEXT_INCOMPLETE, KEY_FILE_MISSING */
export async function contextBundle(context: Context): Promise<string> {
  return await pemOf(need(context, 'ca', '--ca'));
}

/** The join API of a cluster of which nothing is known but an address and a one-time token. @throws CodedError TOKEN_UNKNOWN */
export function tokenJoinApi(cli: Cli, endpoint: string, token: string): JoinApi {
  return cli.connect.joinApi({ endpoint, trust: { pin: parseToken(token).caPin }, credential: { token } });
}

/** The resources of a context's cluster. @throws CodedError CLI_CONTEXT_INCOMPLETE, KV_CONFIG */
export async function contextResources(cli: Cli, context: Context): Promise<OpenResources> {
  return await cli.connect.resources(need(context, 'etcd', '--etcd'));
}

/** The target of a context's cluster. @throws CodedError CLI_CONTEXT_INCOMPLETE, KV_*, WIREGUARD_TARGET */
export async function contextTargets(cli: Cli, context: Context): Promise<OpenTargets> {
  return await cli.connect.targets(need(context, 'etcd', '--etcd'));
}

/** The name of a context's cluster, as its admin certificate says it; undefined for other certificates. @throws CodedError as {@link contextJoinApi} */
export async function contextCluster(context: Context): Promise<string | undefined> {
  const { cert } = need(context, 'credential', '--cert and --key');
  const { cn } = certificateFacts(await readCertificateFile(cert), cert);
  const prefix = clientNames.admin('');
  return cn.startsWith(prefix) ? cn.slice(prefix.length) : undefined;
}

/** A bundle that stands in the context itself, or in a file. */
async function pemOf(ca: string): Promise<string> {
  return ca.startsWith('-----BEGIN') ? ca : await readCertificateFile(ca);
}

function need<K extends 'endpoint' | 'credential' | 'ca' | 'etcd'>(context: Context, part: K, option: string): NonNullable<Context[K]> {
  const value = context[part];
  if (value !== undefined) return value;
  throw new CodedError(CLI_CONTEXT_INCOMPLETE, `it has no ${part}; give it with "isthmus context set ${context.name}" and ${option}`, {
    object: `context ${context.name}`,
  });
}
