import { join } from 'node:path';
import { joinApiAddress, writeConfigDir } from '../control-plane/cluster-files.ts';
import { agentSettings, type Settings } from '../control-plane/cluster-settings.ts';
import { isthmus } from '../control-plane/isthmus-command.ts';
import { getJson } from '../machine/http-get.ts';
import type { Supervisor } from '../process/supervisor.ts';
import { appCommand } from '../toolchain.ts';
import type { ClusterPlan, LabPlan, NodePlace } from '../topology/plan.ts';
import { findingWireGuard, missingWireGuard } from './wireguard-toolchain.ts';

const READY_TIMEOUT_MS = 60_000;
/** Where an agent's files lie, as it sees them. */
const INSIDE = '/run/isthmus';

/** Id of a node's agent among the lab's processes. */
export function agentId(node: NodePlace): string {
  return `${node.id}/agent`;
}

/** The agent's state folder, as the machine sees it: a small file system of its own. */
export function agentStateDir(node: NodePlace): string {
  return join(outside(node), 'state');
}

/** The agent's socket, as the machine sees it. */
export function agentSocket(node: NodePlace): string {
  return join(outside(node), 'isthmus.sock');
}

/**
 * Takes a node into its cluster as an administrator would: a one-time token from the cluster, then on the node a key of its own and
 * certificates for it.
 */
export async function enrolNode(plan: LabPlan, cluster: ClusterPlan, node: NodePlace): Promise<void> {
  const token = await isthmus(plan, cluster.control, ['node', 'token', 'create', '--context', cluster.name, node.name]);
  const flags = ['--endpoint', joinApiAddress(cluster), '--name', node.name, '--dir', `${INSIDE}/pki`, '--token-file', '-'];
  await isthmus(plan, node, ['node', 'enrol', ...flags], { input: token.trim() });
}

/** How an agent is started. */
export interface AgentStart {
  /** What it is told instead of what the topology says. */
  readonly settings?: Settings;
  /** Environment of this once: when it is started again, it is without. */
  readonly env?: Readonly<Record<string, string>>;
  /** It is not to find the programs of WireGuard. */
  readonly withoutWireGuard?: boolean;
}

/** Writes what an agent is told into its node and starts it. */
export function startAgent(
  supervisor: Supervisor,
  cluster: ClusterPlan,
  node: NodePlace,
  { settings = {}, env = {}, withoutWireGuard = false }: AgentStart = {},
): void {
  writeConfigDir(join(outside(node), 'config'), { ...agentSettings(cluster, node), ...settings });
  const argv = appCommand('agent', ['--config-dir', join(INSIDE, 'config')]);
  supervisor.start({
    id: agentId(node),
    place: node,
    isOurs: true,
    env,
    argv: withoutWireGuard ? missingWireGuard(argv) : findingWireGuard(node, argv),
  });
}

/** Id of a node's BFD process among the lab's processes. */
export function bfdId(node: NodePlace): string {
  return `${node.id}/bfd`;
}

/** Starts the process that watches the node's BGP peers. */
export function startBfd(supervisor: Supervisor, cluster: ClusterPlan, node: NodePlace): void {
  writeConfigDir(join(outside(node), 'config'), agentSettings(cluster, node));
  supervisor.start({ id: bfdId(node), place: node, isOurs: true, argv: appCommand('bfd', ['--config-dir', join(INSIDE, 'config')]) });
}

/** Waits until an agent serves pods. */
export async function waitForAgent(supervisor: Supervisor, node: NodePlace): Promise<void> {
  const ready = async (): Promise<boolean> =>
    ((await getJson(agentSocket(node), '/v1/status')) as { ready?: boolean } | undefined)?.ready === true;
  await supervisor.waitReady(agentId(node), ready, READY_TIMEOUT_MS);
}

function outside(node: NodePlace): string {
  return join(node.run, 'isthmus');
}
