import { DropReason, MetricReason } from '../generated/layouts.ts';
import { dropReasonName, dropReasons, dropReasonText, metricReasonName } from './drop-reason.ts';

describe('drop reasons', () => {
  it('have a name and words where they are known, and a number where not', () => {
    expect([dropReasonName(DropReason.policyDenied), dropReasonName(99)]).toEqual(['PolicyDenied', 'reason 99']);
    expect([dropReasonText(DropReason.policyDenied), dropReasonText(99)]).toEqual(['Policy denied', '99']);
  });

  it('are not what is counted beside drops', () => {
    expect([MetricReason.forwarded, MetricReason.eventLost, DropReason.unroutable].map(metricReasonName)).toEqual([
      'Forwarded',
      'EventLost',
      'Unroutable',
    ]);
    expect(dropReasons().map(({ name }) => name)).not.toContain('EventLost');
  });

  it('differ in words, as they do in name', () => {
    const all = dropReasons();
    expect(new Set(all.map(({ text }) => text)).size).toBe(all.length);
    expect(all.filter(({ text }) => /^\d+$/.test(text))).toEqual([]);
  });
});
