import type { Cancel, Clock, TableWriter } from '@isthmus/core';
import { encodeTimestamp, HEARTBEAT_KEY } from '@isthmus/mesh';

/** The sign of life that importers wait for: the time, written again and again. Returns what ends that. */
export function startHeartbeat(leased: TableWriter<string>, intervalMs: number, clock: Clock): Cancel {
  let cancel: Cancel = () => undefined;
  const beat = (): void => {
    leased.put(HEARTBEAT_KEY, encodeTimestamp(clock.wall()));
    cancel = clock.after(intervalMs, beat);
  };
  beat();
  return () => cancel();
}
