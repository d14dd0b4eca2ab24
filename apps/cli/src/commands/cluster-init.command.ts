import { join, resolve } from 'node:path';
import { CodedError } from '@isthmus/core';
import { type ClusterPkiPaths, clusterNameSchema, clusterPki, writeFileAtomically } from '@isthmus/crypto';
import { parseIp } from '@isthmus/net';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { stringify } from 'yaml';
import { CLI_USAGE } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { addExample, addOutput, type OutputOptions } from '../options/common.ts';
import { printJson } from '../output/print-json.ts';

interface InitOptions extends OutputOptions {
  dir: string;
  clusterName: string;
  ips: string[];
  dnsNames?: string[];
  etcdEndpoints?: string[];
}

/** `cluster init`: makes the CA and the certificates of a new cluster. */
export function addClusterInit(group: Command, cli: Cli): void {
  const command = group
    .command('init')
    .description("Lay out a new cluster's CA and its certificates. Run again it keeps what is good and renews the rest")
    .requiredOption('--dir <folder>', 'where to put them; the apiserver calls it pki-dir')
    .addOption(new Option('--cluster-name <name>', 'name of the cluster').argParser(clusterName).makeOptionMandatory())
    .addOption(
      new Option('--ips <addresses>', 'addresses of the control plane, comma-separated').argParser(addresses).makeOptionMandatory(),
    )
    .addOption(new Option('--dns-names <names>', 'host names of the control plane, comma-separated').argParser(commaList))
    .addOption(
      new Option('--etcd-endpoints <urls>', 'cluster etcd, comma-separated; port 2379 of the addresses when absent').argParser(commaList),
    );
  addOutput(command);
  addExample(command, 'isthmus cluster init --dir /var/lib/isthmus/pki --cluster-name west --ips 192.0.2.10');
  command.action((options: InitOptions) => init(cli, options));
}

async function init(cli: Cli, options: InitOptions): Promise<void> {
  const { clusterName: cluster, ips } = options;
  const dir = resolve(options.dir);
  const dnsNames = options.dnsNames ? { dnsNames: options.dnsNames } : {};
  const paths = await clusterPki(dir, { cluster, controlPlaneIps: ips, clock: cli.clock, ...dnsNames });
  const adminEtcd = await writeAdminEtcd(dir, paths, options);
  if (options.output === 'json') printJson(cli.terminal, { cluster, ...paths, adminEtcd });
  else
    cli.terminal.out(
      `cluster ${cluster}: certificates are in ${dir}\nonce its control plane runs, make a context for it:\n  ${contextCommand()}\n`,
    );

  function contextCommand(): string {
    const { ca, clients } = paths;
    return `isthmus context set ${cluster} --endpoint ${hostText(ips[0] as string)}:4280 --ca ${ca.cert} --cert ${clients.admin.cert} --key ${clients.admin.key} --etcd ${adminEtcd}`;
  }
}

/** The etcd client file of the person who runs the cluster. */
async function writeAdminEtcd(dir: string, { ca, clients }: ClusterPkiPaths, { ips, etcdEndpoints }: InitOptions): Promise<string> {
  const endpoints = etcdEndpoints ?? ips.map((ip) => `https://${hostText(ip)}:2379`);
  const path = join(dir, 'clients', 'admin-etcd.yaml');
  const file = { endpoints, 'trusted-ca-file': ca.cert, 'cert-file': clients.admin.cert, 'key-file': clients.admin.key };
  await writeFileAtomically(path, stringify(file), 0o600);
  return path;
}

function hostText(ip: string): string {
  return ip.includes(':') ? `[${ip}]` : ip;
}

function clusterName(text: string): string {
  const result = clusterNameSchema.safeParse(text);
  if (result.success) return result.data;
  throw new InvalidArgumentError(result.error.issues[0]?.message ?? '');
}

function commaList(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

function addresses(text: string): string[] {
  const ips = commaList(text);
  const wrong = ips.find((ip) => !parseIp(ip));
  if (wrong !== undefined) throw new InvalidArgumentError(`${wrong} is no address.`);
  if (ips.length === 0) throw new CodedError(CLI_USAGE, '--ips needs at least one address');
  return ips;
}
