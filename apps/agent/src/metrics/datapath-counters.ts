import { Direction, decodeMetricKey, dropReasonText, MetricReason, sumOverCpus } from '@isthmus/datapath';

/** Packets of one direction that were passed on. */
export interface Forwarded {
  /** `INGRESS`, `EGRESS` or `SERVICE`. */
  readonly direction: string;
  readonly packets: number;
  readonly bytes: number;
}

/** Packets of one direction that were dropped for one reason. */
export interface Dropped extends Forwarded {
  readonly reason: string;
}

/** The kernel's counters, told apart. */
export interface DatapathCounters {
  readonly forwarded: readonly Forwarded[];
  readonly dropped: readonly Dropped[];
  readonly eventsLost: number;
}

/** Reads the entries of the map `isth_metrics`. */
export function datapathCounters(entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>): DatapathCounters {
  const forwarded: Forwarded[] = [];
  const dropped: Dropped[] = [];
  let eventsLost = 0;
  for (const [key, value] of entries) {
    const { reason, direction } = decodeMetricKey(key);
    const sums = sumOverCpus(value);
    if (reason === MetricReason.eventLost) eventsLost += sums.packets;
    else if (reason === MetricReason.forwarded) forwarded.push({ direction: directionName(direction), ...sums });
    else dropped.push({ reason: dropReasonText(reason), direction: directionName(direction), ...sums });
  }
  return { forwarded, dropped, eventsLost };
}

function directionName(direction: number): string {
  return (Object.entries(Direction).find(([, number]) => number === direction)?.[0] ?? 'unknown').toUpperCase();
}
