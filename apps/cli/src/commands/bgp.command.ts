import { CodedError } from '@isthmus/core';
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { agentStatus } from '../agent/agent-answers.ts';
import {
  BGP_ROUTE_KINDS,
  type BgpFamily,
  type BgpRouteKind,
  bgpDraining,
  bgpPeers,
  bgpPolicies,
  bgpRefusedRoutes,
  bgpRoutes,
  setBgpDraining,
} from '../bgp/bgp-answers.ts';
import { peersText } from '../bgp/peers-text.ts';
import { policiesText } from '../bgp/policies-text.ts';
import { routesText, withRefusals } from '../bgp/routes-text.ts';
import { CLI_NOT_FOUND } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { addExample, addOutput, addSocket, type OutputOptions, type SocketOptions } from '../options/common.ts';
import { printJson } from '../output/print-json.ts';
import { addBgpConfigure } from './bgp-configure.command.ts';

type BgpOptions = OutputOptions & SocketOptions;

interface RoutesOptions extends BgpOptions {
  peer?: string;
  family?: BgpFamily;
  limit: number;
}

/** A table of the Internet is a million routes: whoever wants it all asks for it. */
const ROUTES_SHOWN = 1_000;
const NO_PEERS = 'no BGP peers are configured for this node\n';

/** `bgp peers|routes|policies|drain`: what this node's speakers do. */
export function addBgp(program: Command, cli: Cli): void {
  const group = program.command('bgp').description('BGP: sessions, routes and policies of this node; set it up for a cluster');
  addPeers(group, cli);
  addRoutes(group, cli);
  addPolicies(group, cli);
  addDrain(group, cli);
  addBgpConfigure(group, cli);
}

function addPeers(group: Command, cli: Cli): void {
  const command = group.command('peers').description('Show the sessions of this node, and why those that are not up are not');
  addSocket(addOutput(command));
  addExample(command, 'isthmus bgp peers');
  command.action(async ({ socket, output }: BgpOptions) => {
    const agent = cli.connect.agent(socket);
    const [{ node }, peers, draining] = await Promise.all([agentStatus(agent), bgpPeers(agent), bgpDraining(agent)]);
    if (output === 'json') printJson(cli.terminal, peers);
    else if (peers.length === 0) cli.terminal.err(NO_PEERS);
    else cli.terminal.out(peersText(node, peers, draining, cli.terminal.colour));
  });
}

function addRoutes(group: Command, cli: Cli): void {
  const command = group
    .command('routes')
    .description(
      'Show routes: those that this node announces, those that its peers were told of, those that it got. Their age is not known',
    )
    .addArgument(new Argument('<kind>', 'which routes').choices(BGP_ROUTE_KINDS))
    .option('--peer <name>', 'only those from or to this peer: its name or its address')
    .addOption(new Option('--family <family>', 'only those of this family').choices(['ipv4', 'ipv6']))
    .addOption(new Option('--limit <count>', 'how many at most').argParser(parseCount).default(ROUTES_SHOWN));
  addSocket(addOutput(command));
  addExample(command, 'isthmus bgp routes advertised --peer tor', 'isthmus bgp routes received --family ipv6');
  command.action((kind: BgpRouteKind, options: RoutesOptions) => showRoutes(cli, kind, options));
}

async function showRoutes(cli: Cli, kind: BgpRouteKind, { socket, output, peer, family, limit }: RoutesOptions): Promise<void> {
  const agent = cli.connect.agent(socket);
  if (peer !== undefined) needPeer(await bgpPeers(agent), peer);
  const [{ node }, found, refused] = await Promise.all([
    agentStatus(agent),
    // One more, to know whether there are more.
    bgpRoutes(agent, kind, { peer, family, limit: limit + 1 }),
    kind === 'received' ? bgpRefusedRoutes(agent) : [],
  ]);
  const routes = withRefusals(found.slice(0, limit), refused);
  if (output === 'json') printJson(cli.terminal, routes);
  else if (routes.length > 0) cli.terminal.out(routesText(node, kind, routes, cli.terminal.colour));
  else cli.terminal.err(`there are no ${kind} routes${peer === undefined ? '' : ` of peer ${peer}`}\n`);
  if (found.length > limit) cli.terminal.err(`there are more than these ${limit}: --limit shows them\n`);
}

/** @throws CodedError CLI_NOT_FOUND: a misspelt name would look like a peer without routes */
function needPeer(peers: readonly { readonly peer: string; readonly address: string }[], wanted: string): void {
  if (peers.some(({ peer, address }) => peer === wanted || address === wanted)) return;
  throw new CodedError(CLI_NOT_FOUND, 'no BGP peer of this node has this name or address', {
    object: wanted,
    action: 'See "isthmus bgp peers -o json" for those there are.',
  });
}

function addPolicies(group: Command, cli: Cli): void {
  const command = group
    .command('policies')
    .description('Show what routes from and to each peer go through; the first rule that matches decides');
  addSocket(addOutput(command));
  addExample(command, 'isthmus bgp policies');
  command.action(async ({ socket, output }: BgpOptions) => {
    const policies = await bgpPolicies(cli.connect.agent(socket));
    if (output === 'json') printJson(cli.terminal, policies);
    else if (policies.length === 0) cli.terminal.err(NO_PEERS);
    else cli.terminal.out(policiesText(policies, cli.terminal.colour));
  });
}

function addDrain(group: Command, cli: Cli): void {
  const command = group
    .command('drain')
    .description('Ask all peers to prefer other ways than through this node, before maintenance (RFC 8326)')
    .option('--undo', 'take it back');
  addSocket(addOutput(command));
  addExample(command, 'isthmus bgp drain', 'isthmus bgp drain --undo');
  command.action(async ({ socket, output, undo = false }: BgpOptions & { undo?: boolean }) => {
    const agent = cli.connect.agent(socket);
    const draining = await setBgpDraining(agent, !undo);
    const told = (await bgpPeers(agent)).filter(({ state }) => state === 'established').length;
    if (output === 'json') printJson(cli.terminal, { draining });
    else cli.terminal.out(draining ? drainText(told) : undoText(told));
  });
}

function drainText(told: number): string {
  return `draining: ${told} ${told === 1 ? 'peer is' : 'peers are'} told
Every route that this node announces now carries the community 65535:0 (GRACEFUL_SHUTDOWN); within its AS also local preference 0.
Peers that give that community a low preference send traffic another way where there is one. Nothing is withdrawn: what only this node
announces, such as its pod CIDRs, still comes here. Sessions that come up later, and the agent after a restart, do the same.
To take it back: isthmus bgp drain --undo
`;
}

function undoText(told: number): string {
  return `not draining: ${told} ${told === 1 ? 'peer is' : 'peers are'} told, and may send traffic here again\n`;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Write a number from 1 on.');
  return Number(text);
}
