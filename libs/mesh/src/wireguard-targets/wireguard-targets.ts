import type { WireGuardTargetRow } from '@isthmus/model';
import type { TargetChange } from './target-history.ts';

/** What a node says of its keys, as far as targets depend on it. */
export interface NodeKeys {
  /** The newest that it publishes a key of; 0: none that can be read. */
  readonly epoch: number;
  /** Nodes that know of no epochs, for which its even key has to stay. */
  readonly blockedBy: readonly string[];
  /** The epoch after that of the cluster, and another cluster that is there or wants it. */
  readonly wanted?: { readonly epoch: number; readonly cluster: string };
}

/** A cluster's target, with what tells how far its nodes are, and who changed it when. */
export interface WireGuardTargets {
  /** Undefined: the cluster has none. @throws CodedError WIREGUARD_TARGET */
  read(): Promise<WireGuardTargetRow | undefined>;
  /**
   * Writes the next target, and the change into the history, in one step.
   * @param from what was read; undefined: there was none
   * @returns false when there is another one by now: nothing is written
   * @throws CodedError WIREGUARD_TARGET for a target that nobody could read, such as one beyond the last epoch
   */
  raise(from: WireGuardTargetRow | undefined, to: WireGuardTargetRow): Promise<boolean>;
  /** The last changes, the newest first. */
  history(): Promise<readonly TargetChange[]>;
  /** What each node of the cluster says of its keys, by the node's name. */
  nodes(): Promise<ReadonlyMap<string, NodeKeys>>;
}
