import { CodedError, isCoded } from '@isthmus/core';
import { JOIN_API_UNREACHABLE, type JoinApi } from '@isthmus/crypto';

/** One side of a connection: its API, and its cluster's name where that is known without asking. */
export interface Side {
  readonly api: JoinApi;
  readonly name: string | undefined;
}

/** What became of each side. */
export interface DisconnectOutcome {
  /** Names of the two clusters. */
  readonly first: string;
  readonly second: string;
  /** Clusters that let go of the other one now. */
  readonly ended: readonly string[];
  /** Clusters that had no connection to end. */
  readonly already: readonly string[];
  /** Clusters that were not reached and still have the other one configured; only with `force`. */
  readonly left: readonly string[];
}

/**
 * Ends the connection of two clusters on both sides. Both are asked who they are before either is changed, so that one that cannot be reached
 * leaves things as they were; with `force` the other side is disconnected all the same.
 * @throws CodedError whatever a side refused with; JOIN_API_UNREACHABLE without `force`, or when neither side is reached
 */
export async function disconnectClusters(first: Side, second: Side, force: boolean): Promise<DisconnectOutcome> {
  const names = [await nameOf(first, force), await nameOf(second, force)] as const;
  const outcome = { first: names[0].name, second: names[1].name, ended: [] as string[], already: [] as string[], left: [] as string[] };
  if (!names[0].reached && !names[1].reached) throw names[0].error;
  for (const [side, own, peer] of [
    [first, names[0], names[1]],
    [second, names[1], names[0]],
  ] as const) {
    if (!own.reached) outcome.left.push(own.name);
    else if (await disconnectOne(side.api, peer.name)) outcome.ended.push(own.name);
    else outcome.already.push(own.name);
  }
  return outcome;
}

/** Ends a connection on one side. @returns false when there was none */
export async function disconnectOne(api: JoinApi, peer: string): Promise<boolean> {
  try {
    await api.disconnect(peer);
    return true;
  } catch (error) {
    if (error instanceof CodedError && error.code === 'JOIN_NOT_CONNECTED') return false;
    throw error;
  }
}

interface Named {
  readonly name: string;
  readonly reached: boolean;
  readonly error?: unknown;
}

async function nameOf({ api, name }: Side, force: boolean): Promise<Named> {
  try {
    return { name: (await api.cluster()).name, reached: true };
  } catch (error) {
    if (!force || name === undefined || !isCoded(error, JOIN_API_UNREACHABLE)) throw error;
    return { name, reached: false, error };
  }
}
