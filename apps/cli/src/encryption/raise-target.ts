import { type Clock, CodedError, isCoded } from '@isthmus/core';
import { type Epoch, leftBehind, mayJoinAt, newTarget, nodesBehind, presentTarget, rotationBlocked, rotationWaits } from '@isthmus/crypto';
import type { WireGuardTargets } from '@isthmus/mesh';
import { configSchema, type WireGuardTargetRow } from '@isthmus/model';
import { agentConfig } from '../agent/agent-answers.ts';
import type { AgentApi } from '../agent/agent-api.ts';
import { CLI_AGENT_DENIED, CLI_AGENT_DOWN, CLI_ENCRYPTION_OFF, CLI_ROTATION_TOO_SOON, CLI_USAGE } from '../cli.errors.ts';
import { type EncryptionMesh, encryptionOf } from './encryption-answers.ts';

/** Who wants other keys, and what is asked about them. */
export interface RaiseOrder {
  readonly agent: AgentApi;
  readonly targets: WireGuardTargets;
  readonly user: string;
  readonly reason: string;
  /** Although nodes have not come along with the last change. */
  readonly force: boolean;
  /** The epoch to go to, where it is not just the next one. */
  readonly to?: Epoch;
  readonly clock: Clock;
}

/** A change that was begun. */
export interface RaisedTarget {
  readonly row: WireGuardTargetRow;
  /** Who is not waited for; undefined when all had come along. */
  readonly left: CodedError | undefined;
  /** Who is cut off when even keys change; undefined when nobody is. */
  readonly blocked: CodedError | undefined;
}

/** Where nodes are with their keys. */
interface Present {
  readonly target: Epoch;
  /** Names of those that are not there. */
  readonly behind: readonly string[];
  /** All are there, named or not. */
  readonly isReached: boolean;
  /** Those that know of no epochs. */
  readonly blockedBy: readonly string[];
}

/** What old keys are kept for at least, and what it takes to hear of new ones. Milliseconds. */
const SLACK_MS = 2_000;

/**
 * Raises the cluster's target to one above that of the mesh: of that which the node's agent knows, or where none can be asked, of what the cluster's
 * own nodes are at. Or to where another cluster is that this one does not follow, because it is further ahead.
 * @throws CodedError WIREGUARD_ROTATION_BLOCKED, WIREGUARD_ROTATION_WAITS while nodes know of no epochs or are behind, unless that is forced; CLI_ROTATION_TOO_SOON, CLI_ENCRYPTION_OFF; CLI_USAGE for an
 *   epoch that is past, or too far ahead
 */
export async function raiseTarget({ agent, targets, user, reason, force, to, clock }: RaiseOrder): Promise<RaisedTarget> {
  const own = await targets.read();
  if (own === undefined) throw new CodedError(CLI_ENCRYPTION_OFF, 'its target is gone');
  const mesh = await meshOf(agent, own.cluster);
  const { target, behind, isReached, blockedBy } = mesh ? inMesh(mesh, own) : await inCluster(targets, own);
  if (to !== undefined && (to <= target || !mayJoinAt(target, to)))
    throw new CodedError(CLI_USAGE, `--to ${to}: the mesh is at epoch ${target}, and goes at most 65,536 ahead`);
  const blocked = blockedBy.length === 0 ? undefined : rotationBlocked(target, blockedBy);
  if (blocked && !force) throw blocked;
  if (!isReached && !force) throw rotationWaits(target, behind);
  await checkPause(agent, [own.startedAt, ...(mesh ? [mesh.targetSince] : [])], clock.wall());
  const next = newTarget(own, { target: to ?? target + 1, by: user, reason }, clock.wall());
  if (await targets.raise(own, next)) return { row: next, left: isReached ? undefined : leftBehind(target, behind), blocked };
  throw rotationWaits(target + 1, []);
}

/** What the agent of this node knows of the cluster's mesh; undefined when there is none to ask, or it is of another one. */
async function meshOf(agent: AgentApi, cluster: string): Promise<EncryptionMesh | undefined> {
  try {
    const { enabled, mesh } = await encryptionOf(agent);
    return enabled && mesh.clusters.some((each) => each.cluster === cluster) ? mesh : undefined;
  } catch (error) {
    if (isUnasked(error)) return undefined;
    throw error;
  }
}

/** No agent can be asked: none runs here, it is not for this user, or it is older than encryption. */
function isUnasked(error: unknown): boolean {
  return (
    isCoded(error, CLI_AGENT_DOWN) || isCoded(error, CLI_AGENT_DENIED) || (error instanceof CodedError && error.code === 'API_NOT_FOUND')
  );
}

/** An agent that has not heard of the cluster's own target yet knows of nobody who is there. */
function inMesh({ target, nodes, atTarget, laggards, withoutKeys, blockedBy }: EncryptionMesh, own: WireGuardTargetRow): Present {
  if (own.target > target) return { target: own.target, behind: [], isReached: false, blockedBy };
  const behind = [...laggards, ...withoutKeys];
  return { target, behind, isReached: atTarget >= nodes && behind.length === 0, blockedBy };
}

async function inCluster(targets: WireGuardTargets, own: WireGuardTargetRow): Promise<Present> {
  const nodes = await targets.nodes();
  const epochs = new Map([...nodes].map(([name, { epoch }]) => [name, epoch]));
  const target = presentTarget(own, epochs);
  const behind = nodesBehind(epochs.keys(), epochs, target);
  const blockedBy = [...new Set([...nodes.values()].flatMap((each) => each.blockedBy))].sort();
  return { target, behind, isReached: behind.length === 0, blockedBy };
}

/** Old keys may still be in use. */
async function checkPause(agent: AgentApi, begun: readonly string[], now: number): Promise<void> {
  const settings: Record<string, unknown> = await agentConfig(agent).catch(() => ({}));
  const pauseMs = configSchema['wireguard-drain'].parse(settings['wireguard-drain']) * 1_000 + SLACK_MS;
  // Times are other machines'. One that is far ahead says nothing.
  const recent = begun.find((time) => Math.abs(now - Date.parse(time)) < pauseMs);
  if (recent !== undefined) throw new CodedError(CLI_ROTATION_TOO_SOON, `the last change began at ${recent}`);
}
