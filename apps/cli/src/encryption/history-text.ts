import { isCoded } from '@isthmus/core';
import type { TargetChange } from '@isthmus/mesh';
import type { AgentApi } from '../agent/agent-api.ts';
import { CLI_AGENT_DOWN } from '../cli.errors.ts';
import { renderTable } from '../output/print-table.ts';
import { encryptionOf, type PastKey } from './encryption-answers.ts';

/** Keys that the node of this agent has had. */
export interface NodeKeys {
  /** `<cluster>/<node>` */
  readonly node: string;
  readonly keys: readonly PastKey[];
}

/** The keys of the node that this is; undefined where there is no agent. */
export async function keysHere(agent: AgentApi): Promise<NodeKeys | undefined> {
  try {
    const { node, keys } = await encryptionOf(agent);
    return { node, keys };
  } catch (error) {
    if (isCoded(error, CLI_AGENT_DOWN)) return undefined;
    throw error;
  }
}

/** Changes of a cluster's target, as people read them. */
export function historyText(changes: readonly TargetChange[], colour: boolean): string {
  const rows = changes.map(({ at, by, target, reason }) => [at, by || '-', `target ${target}`, reason || '-']);
  return renderTable(['WHEN', 'WHO', 'WHAT', 'WHY'], rows, colour);
}

/** A node's keys, as people read them. */
export function keysText({ node, keys }: NodeKeys, colour: boolean): string {
  const rows = keys.map(({ epoch, fingerprint, madeAt, goneAt }) => [String(epoch), fingerprint, madeAt, goneAt ?? '-']);
  return renderTable([`EPOCH OF ${node}`, 'KEY', 'MADE', 'GONE'], rows, colour);
}
