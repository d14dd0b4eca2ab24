import { readFile } from 'node:fs/promises';
import { CodedError, messageOf } from '@isthmus/core';
import { CILIUM_BGP_NODE_CONFIG_OVERRIDE, type CiliumBGPNodeConfigOverride, type ResourceStore, SECRET } from '@isthmus/model';
import { type Command, Option } from 'commander';
import { stringify } from 'yaml';
import { BGP_SECRETS_NAMESPACE, type BgpSessions, type BgpSetup, bgpObjects, mergedOverride } from '../bgp/configure-objects.ts';
import { CLI_FILE, CLI_USAGE } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import {
  type BgpAdvertised,
  type BgpPeerOption,
  collectPeer,
  networkParser,
  parseAdvertised,
  parseAsn,
  parseLabels,
  parseRouterId,
} from '../options/bgp.ts';
import { addExample, addOutput, type OutputOptions } from '../options/common.ts';
import { printJson } from '../output/print-json.ts';
import type { Manifest } from '../resource/parse-manifests.ts';
import { addStoreOptions, objectTitle, type StoreOptions, withResources } from '../resource/resource-options.ts';

interface ConfigureOptions extends StoreOptions, OutputOptions {
  name: string;
  asNumber?: number;
  peer?: BgpPeerOption[];
  routerId?: string;
  node?: string;
  poolIpv4Cidr?: string;
  poolIpv6Cidr?: string;
  advertise?: BgpAdvertised[];
  import?: 'none' | 'all';
  nodeSelector?: Record<string, string>;
  passwordFile?: string;
  dryRun?: boolean;
}

/** TCP-MD5 takes no longer keys. */
const MAX_PASSWORD_BYTES = 80;

/** `bgp configure`: a short way to write the objects that set BGP up. */
export function addBgpConfigure(group: Command, cli: Cli): void {
  const command = group
    .command('configure')
    .description('Write the objects that make nodes speak BGP: whom with, what they announce, which addresses services get')
    .option('--name <name>', 'name of the objects and of the BGP instance', 'default')
    .addOption(new Option('--as-number <asn>', 'AS number of the nodes').argParser(parseAsn))
    .addOption(new Option('--peer <address,asn>', 'a router to speak with, and its AS number; may be repeated').argParser(collectPeer))
    .addOption(new Option('--advertise <what>', 'pod-cidr, load-balancer, or both with a comma (default: both)').argParser(parseAdvertised))
    .addOption(new Option('--import <what>', 'which routes of the routers to take (default: none)').choices(['none', 'all']))
    .addOption(new Option('--node-selector <labels>', 'only nodes with these labels: key=value,key=value').argParser(parseLabels))
    .option('--password-file <path>', `file with the password of the sessions, or -; it goes into a Secret in ${BGP_SECRETS_NAMESPACE}`)
    .addOption(new Option('--pool-ipv4-cidr <cidr>', 'network of which LoadBalancer services get addresses').argParser(networkParser(4)))
    .addOption(new Option('--pool-ipv6-cidr <cidr>', 'the same for IPv6').argParser(networkParser(6)))
    .addOption(new Option('--router-id <ipv4>', 'router id of the node that --node names').argParser(parseRouterId))
    .option('--node <name>', 'the node that --router-id is for')
    .option('--dry-run', 'print the objects as YAML and change nothing; a password is left out');
  addOutput(addStoreOptions(command));
  addExample(
    command,
    'isthmus bgp configure --context west --as-number 65001 --peer 192.0.2.1,65101 --peer fd00::1,65101 --pool-ipv4-cidr 203.0.113.0/24',
    'isthmus bgp configure --context west --router-id 192.0.2.11 --node n1',
  );
  command.action((options: ConfigureOptions) => configure(cli, options));
}

async function configure(cli: Cli, options: ConfigureOptions): Promise<void> {
  const manifests = bgpObjects(await setupOf(cli, options));
  if (options.dryRun) {
    cli.terminal.out(manifests.map(document).join('---\n'));
    return;
  }
  const done: object[] = [];
  await withResources(cli, options, async (store) => {
    for (const each of manifests) {
      const { kind, object } = await overEarlier(store, each);
      const result = await store.apply(kind, object);
      const { name, namespace } = object.metadata;
      done.push({ kind: kind.kind, ...(namespace === undefined ? {} : { namespace }), name, result });
      if (options.output === 'table') cli.terminal.out(`${objectTitle(kind, name, namespace)} ${result}\n`);
    }
  });
  if (options.output === 'json') printJson(cli.terminal, done);
  else if (options.peer) cli.terminal.out('To see how it goes, on a node: isthmus bgp peers\n');
}

/** What the options ask for. @throws CodedError CLI_USAGE, CLI_FILE */
async function setupOf(cli: Cli, options: ConfigureOptions): Promise<BgpSetup> {
  const { name, routerId, node } = options;
  const pools = [options.poolIpv4Cidr, options.poolIpv6Cidr].filter((cidr) => cidr !== undefined);
  checkPairs(options);
  if (!options.peer && routerId === undefined && pools.length === 0)
    throw new CodedError(CLI_USAGE, 'name routers with --as-number and --peer, networks with --pool-ipv4-cidr, or a router id');
  return {
    name,
    pools,
    ...(options.peer && { sessions: await sessionsOf(cli, options, options.peer) }),
    ...(routerId !== undefined && node !== undefined && { routerId: { node, routerId } }),
  };
}

/** Options that mean nothing without another. @throws CodedError CLI_USAGE */
function checkPairs({ peer, asNumber, routerId, node, ...others }: ConfigureOptions): void {
  const refuse = (object: string, message: string): never => {
    throw new CodedError(CLI_USAGE, message, { object });
  };
  if (peer && asNumber === undefined) refuse('--peer', "needs --as-number, the nodes' own AS number");
  if (routerId !== undefined && node === undefined) refuse('--router-id', 'needs --node: no two nodes may have the same one');
  if (node !== undefined && routerId === undefined) refuse('--node', 'needs --router-id');
  if (peer) return;
  const { advertise, import: imported, nodeSelector, passwordFile } = others;
  const ofSessions = { asNumber, advertise, import: imported, nodeSelector, passwordFile };
  const lonely = Object.entries(ofSessions).find(([, value]) => value !== undefined)?.[0];
  if (lonely !== undefined)
    refuse(`--${lonely.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, 'needs --peer, the routers to speak with');
}

async function sessionsOf(cli: Cli, options: ConfigureOptions, peers: readonly BgpPeerOption[]): Promise<BgpSessions> {
  const { asNumber = 0, advertise = ['pod-cidr', 'load-balancer'], nodeSelector, passwordFile } = options;
  return {
    asn: asNumber,
    peers,
    advertise,
    importAll: options.import === 'all',
    ...(nodeSelector && { nodeLabels: nodeSelector }),
    ...(passwordFile !== undefined && { password: await readPassword(cli, passwordFile) }),
  };
}

/** No error repeats what was read. @throws CodedError CLI_FILE */
async function readPassword(cli: Cli, path: string): Promise<string> {
  const object = path === '-' ? 'standard input' : path;
  const text = await (path === '-' ? cli.terminal.readInput() : readFile(path, 'utf8')).catch((cause: unknown) => {
    throw new CodedError(CLI_FILE, messageOf(cause), { object, cause });
  });
  const password = text.replace(/\r?\n$/, '');
  const bytes = Buffer.byteLength(password);
  if (bytes >= 1 && bytes <= MAX_PASSWORD_BYTES) return password;
  const action = `Write a password of 1 to ${MAX_PASSWORD_BYTES} bytes into it, or leave --password-file out.`;
  throw new CodedError(CLI_FILE, `the password has ${bytes} bytes`, { object, action });
}

/** What somebody said of a node otherwise stays. */
async function overEarlier(store: ResourceStore, each: Manifest): Promise<Manifest> {
  if (each.kind.kind !== CILIUM_BGP_NODE_CONFIG_OVERRIDE.kind) return each;
  const earlier = await store.get(CILIUM_BGP_NODE_CONFIG_OVERRIDE, each.object.metadata.name);
  return earlier ? mergedOverride(each.object as CiliumBGPNodeConfigOverride, earlier) : each;
}

function document({ kind, object }: Manifest): string {
  if (kind.kind !== SECRET.kind) return stringify(object);
  const { name, namespace } = object.metadata;
  return `# Secret ${namespace}/${name} with the password is not shown; without it the sessions are refused.\n`;
}
