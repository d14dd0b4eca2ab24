import { type Clock, delay, LOG, type Log, Notifier, type Random } from '@isthmus/core';
import { type KvStore, mirrorPrefix } from '@isthmus/kvstore';
import { stateLayout } from '@isthmus/mesh';
import type { RotationDuty } from './rotation-duty.ts';

/** What {@link runRotation} works with. */
export interface RotationPassesOptions {
  readonly duty: RotationDuty;
  readonly kv: KvStore;
  readonly cluster: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Between two passes, however much nodes say: all of them do when keys change. */
const PAUSE_MS = 1_000;

/** Runs passes until the signal aborts: after each interval, and soon after a node has said something else of its keys, or of what others want. */
export async function runRotation({ duty, kv, cluster, clock, random, log }: RotationPassesOptions, signal: AbortSignal): Promise<void> {
  const news = new Notifier();
  let isDue = true;
  const due = (): void => {
    isDue = true;
    news.notify();
  };
  const { prefix } = stateLayout('wireguard', cluster);
  const following = mirrorPrefix(kv, { prefix, clock, random, signal, onBatch: due });
  while (!signal.aborted) {
    isDue = false;
    await duty.pass().catch((error: unknown) => {
      if (!signal.aborted) log.warn({ [LOG.error]: error }, 'the keys of the mesh cannot be looked after now');
    });
    const cancel = clock.after(duty.passMs, due);
    await delay(clock, PAUSE_MS, signal).catch(() => undefined); // rejects only by abort
    await news.until(() => isDue, signal).catch(() => undefined);
    cancel();
  }
  await following;
}
