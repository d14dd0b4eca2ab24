/** When a node looks at its keys and its peers again. Milliseconds after the last look. */
export interface LookPace {
  /** Not before, whatever happens. */
  readonly restMs: number;
  /** Then, if nothing happens before. */
  readonly pauseMs: number;
}

/** Pauses after something was done, while something is waited for, and while nothing is. */
const [BUSY_MS, WAITING_MS, IDLE_MS] = [50, 250, 1_000];
/** Rest for each peer: a look at a thousand takes milliseconds, and while all of them change their keys there would be one for each of them. */
const REST_PER_PEER_MS = 1;

/** @param last whether something was done, and whether something is waited for @param peers how many other nodes there are */
export function lookPace(last: { readonly acted: boolean; readonly waits: boolean }, peers: number): LookPace {
  const pauseMs = last.acted ? BUSY_MS : last.waits ? WAITING_MS : IDLE_MS;
  const restMs = peers * REST_PER_PEER_MS;
  return { restMs, pauseMs: Math.max(restMs, pauseMs) };
}
