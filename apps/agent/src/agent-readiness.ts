import { type CodedError, LOCAL_SCOPE, type SinkGroup } from '@isthmus/core';
import type { RemoteStatus } from '@isthmus/mesh';
import type { AgentTables } from './tables/agent-tables.ts';

/** What readiness depends on. */
export interface ReadinessInputs {
  /** Why only a restart helps. */
  readonly defect: string | undefined;
  readonly podCidrsKnown: boolean;
  /** Why the operator gives none. */
  readonly podCidrsRefusal?: string | undefined;
  /** False while the cluster etcd does not answer. */
  readonly clusterEtcdConnected?: boolean | undefined;
  /** Why nothing can be encrypted, where it has to be. */
  readonly encryptionProblem?: string | undefined;
  readonly tables: AgentTables;
  readonly sinks: SinkGroup | undefined;
  /** Why nothing can be written to the state folder; new pods would not outlive the agent. */
  readonly stateProblem?: CodedError | undefined;
  readonly remotes: readonly RemoteStatus[];
  /** The list of remote clusters is in: before that, none of them is known. */
  readonly remotesListed: boolean;
  /** Remote clusters have had the time that readiness waits for them. */
  readonly meshWaitOver: boolean;
}

/** The first thing that the agent waits for; undefined when it is ready. Being ready once does not make it ready for ever: it says what is. */
export function readinessOf(inputs: ReadinessInputs): string | undefined {
  const { defect, podCidrsKnown, tables, sinks, stateProblem, remotes, remotesListed, meshWaitOver } = inputs;
  if (defect !== undefined) return defect;
  if (!podCidrsKnown) return podCidrsWait(inputs);
  if (inputs.encryptionProblem !== undefined) return `encryption: ${inputs.encryptionProblem}`;
  if (!sinks) return 'the datapath';
  if (stateProblem) return `a state folder that it can write to (${stateProblem.code}: ${stateProblem.message})`;
  const { localNodes, localIdentities, localIps, services, localBackends } = tables.sources;
  for (const { table } of [localNodes, localIdentities, localIps, services, localBackends])
    if (!table.scopes.isSynced(LOCAL_SCOPE)) return `the ${table.name} of its cluster from etcd`;
  if (meshWaitOver) return undefined;
  if (!remotesListed) return 'the list of remote clusters from the mesh etcd';
  const waiting = remotes.find((remote) => !remote.ready);
  return waiting && `cluster ${waiting.cluster}`;
}

function podCidrsWait({ clusterEtcdConnected, podCidrsRefusal }: ReadinessInputs): string {
  if (clusterEtcdConnected === false) return 'the cluster etcd, which tells its pod CIDRs';
  return `its pod CIDRs from the operator${podCidrsRefusal === undefined ? '' : `, which says ${podCidrsRefusal}`}`;
}

/** Whether all nodes, and what they say of their keys, are known. Remote clusters that do not answer are waited for as long as readiness waits. */
export function isMeshKnown(inputs: Pick<ReadinessInputs, 'tables' | 'remotes' | 'remotesListed' | 'meshWaitOver'>): boolean {
  const { tables, remotes, remotesListed, meshWaitOver } = inputs;
  const { localNodes, localWireGuard, localWireGuardTargets } = tables.sources;
  if (![localNodes, localWireGuard, localWireGuardTargets].every(({ table }) => table.scopes.isSynced(LOCAL_SCOPE))) return false;
  return meshWaitOver || (remotesListed && remotes.every(({ ready }) => ready));
}
