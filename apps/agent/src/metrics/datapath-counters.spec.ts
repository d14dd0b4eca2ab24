import { Direction, DropReason, encodeMetricKey, encodeMetricValue, MetricReason } from '@isthmus/datapath';
import { datapathCounters } from './datapath-counters.ts';

/** A counter as the kernel has it: one value per processor. */
function entry(reason: number, direction: number, ...packets: number[]): [Uint8Array, Uint8Array] {
  const values = packets.map((count) => encodeMetricValue({ packets: BigInt(count), bytes: BigInt(count * 100) }));
  return [encodeMetricKey({ reason, direction }), Buffer.concat(values)];
}

describe('datapathCounters', () => {
  it('tells what was passed on, what was dropped, and what is no packet, and sums over processors', () => {
    const { ingress, egress } = Direction;
    expect(
      datapathCounters([
        entry(MetricReason.forwarded, egress, 3, 4),
        entry(DropReason.unroutable, ingress, 1, 0),
        entry(MetricReason.eventLost, ingress, 5, 2),
        entry(MetricReason.eventLost, egress, 1),
      ]),
    ).toEqual({
      forwarded: [{ direction: 'EGRESS', packets: 7, bytes: 700 }],
      dropped: [{ reason: 'Stale or unroutable IP', direction: 'INGRESS', packets: 1, bytes: 100 }],
      eventsLost: 8,
    });
  });
});
