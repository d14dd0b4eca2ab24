import type { JoinApi } from './join-api.ts';

/** What {@link connectClusters} did. */
export interface ConnectOutcome {
  first: string;
  second: string;
  /** False when they were connected already; their records of each other were renewed. */
  isNew: boolean;
}

/**
 * Joins two clusters by the four calls. The second takes effect only with the last call; when that one fails, the first is taken back.
 * Run again it renews certificates and addresses.
 * @throws CodedError whichever call was refused
 */
export async function connectClusters(first: JoinApi, second: JoinApi): Promise<ConnectOutcome> {
  const [a, b] = await Promise.all([first.cluster(), second.cluster()]);
  const isNew = !a.clusters.some((c) => c.name === b.name);
  const accepted = await second.accept(await first.offer(b.name));
  const { certificate } = await first.confirm(accepted.offer, accepted.certificate);
  try {
    await second.complete(a.name, { session: accepted.session, certificate });
  } catch (error) {
    if (isNew) await takeBack(first, b.name, error);
    throw error;
  }
  return { first: a.name, second: b.name, isNew };
}

async function takeBack(first: JoinApi, name: string, reason: unknown): Promise<void> {
  try {
    await first.disconnect(name);
  } catch (error) {
    throw new AggregateError([reason, error], `${first.endpoint} still has ${name} configured; run "clustermesh disconnect" there`);
  }
}
