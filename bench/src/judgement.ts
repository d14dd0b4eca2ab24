import type { Interval } from './statistics.ts';

/** What a number must be: a ratio to the peer where there is one, the number itself where there is none. */
export interface Goal {
  readonly must: 'be at least' | 'be at most';
  readonly value: number;
}

/** What may be said of a goal. */
export type Judgement = 'met' | 'missed' | 'inconclusive';

/**
 * Judges a measurement: missed only if the whole interval lies on the wrong side of the goal, so that noise alone fails nobody.
 * @param interval undefined when too few rounds were quiet
 */
export function judge(goal: Goal, interval: Interval | undefined): Judgement {
  if (!interval) return 'inconclusive';
  const [low, high] = interval;
  const wrong = goal.must === 'be at least' ? high < goal.value : low > goal.value;
  return wrong ? 'missed' : 'met';
}
