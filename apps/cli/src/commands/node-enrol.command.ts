import { CodedError, messageOf } from '@isthmus/core';
import {
  type ClusterInfo,
  enrolNode,
  type JoinApi,
  type NodeFiles,
  nodeFiles,
  readCertificateFile,
  readKeyFile,
  writeNodeFiles,
} from '@isthmus/crypto';
import { TUNNEL_PROTOCOLS } from '@isthmus/model';
import { type Command, Option } from 'commander';
import { CLI_FILE } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { tokenJoinApi } from '../context/open-context.ts';
import { addExample, addOutput, type OutputOptions } from '../options/common.ts';
import { parseEndpoint } from '../options/endpoint.ts';
import { addTokenOptions, findToken, needToken, type TokenOptions } from '../options/token.ts';
import { printJson } from '../output/print-json.ts';

interface EnrolOptions extends TokenOptions, OutputOptions {
  endpoint: string;
  name: string;
  dir: string;
  renew?: boolean;
}

/** `node enrol`: gives this machine the certificates of a node. */
export function addNodeEnrol(group: Command, cli: Cli): void {
  const command = group
    .command('enrol')
    .description('Get the certificates of a node. The key is made here and never leaves this machine')
    .addOption(new Option('--endpoint <host:port>', "the cluster's join API").argParser(parseEndpoint).makeOptionMandatory())
    .requiredOption('--name <node>', 'name of the node')
    .requiredOption('--dir <folder>', 'where to put key, certificates and the etcd client files for the agent')
    .option('--renew', 'call with the certificate that lies in the folder, instead of a token');
  addOutput(addTokenOptions(command));
  addExample(command, 'isthmus node enrol --endpoint west.example.org:4280 --name n1 --dir /var/lib/isthmus --token-file token');
  command.action((options: EnrolOptions) => enrol(cli, options));
}

async function enrol(cli: Cli, options: EnrolOptions): Promise<void> {
  const { name, dir } = options;
  const api = options.renew ? await ownJoinApi(cli, options) : await freshJoinApi(cli, options);
  const cluster = await api.cluster();
  const credentials = await enrolNode(api, { cluster: cluster.name, node: name, clock: cli.clock });
  print(cli, options, cluster, await write(dir, () => writeNodeFiles(dir, credentials)));
}

async function freshJoinApi(cli: Cli, options: EnrolOptions): Promise<JoinApi> {
  return tokenJoinApi(cli, options.endpoint, await needToken(cli, options, `isthmus node token create ${options.name}`));
}

async function ownJoinApi(cli: Cli, { endpoint, dir, ...options }: EnrolOptions): Promise<JoinApi> {
  if ((await findToken(cli, options)) !== undefined) cli.terminal.err('warning: --renew needs no token; it is not used\n');
  const files = nodeFiles(dir);
  const caBundle = await readCertificateFile(files.ca);
  const credential = { certPem: await readCertificateFile(files.cert), keyPem: await readKeyFile(files.key) };
  return cli.connect.joinApi({ endpoint, trust: { caBundle }, credential });
}

async function write<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new CodedError(CLI_FILE, messageOf(cause), { object: dir, cause });
  }
}

function print(cli: Cli, { name, endpoint, output }: EnrolOptions, cluster: ClusterInfo, files: NodeFiles): void {
  if (output === 'json') printJson(cli.terminal, { cluster: cluster.name, clusterId: cluster.id, node: name, files });
  else
    cli.terminal.out(
      `${name} is a node of ${cluster.name}\nstart its agent with:\n  ${membershipFlags(cluster)} --node-name ${name}` +
        ` --etcd-config ${files.etcdConfig} --mesh-etcd-config ${files.meshEtcdConfig}` +
        ` --join-api-endpoint ${endpoint.replace(/^https:\/\//, '')}\n`,
    );
}

/** What an agent must be told in the same words as the rest of its cluster. */
function membershipFlags({ name, id, maxConnectedClusters, tunnelProtocol = TUNNEL_PROTOCOLS[0] }: ClusterInfo): string {
  const size = maxConnectedClusters === 255 ? '' : ` --max-connected-clusters ${maxConnectedClusters}`;
  const tunnel = tunnelProtocol === TUNNEL_PROTOCOLS[0] ? '' : ` --tunnel-protocol ${tunnelProtocol}`;
  return `--cluster-name ${name} --cluster-id ${id}${size}${tunnel}`;
}
