import type { Lab } from '../lab.ts';

/** One line of what the lab proves. */
export interface Check {
  /** Stable: `--only` and programs use it. */
  readonly name: string;
  /** True when it breaks something for a while, and mends it again; `--quick` leaves such checks out. */
  readonly disruptive: boolean;
  /** False where the topology has nothing to prove it on; such a check is left out. Absent: always true. */
  applies?(lab: Lab): boolean;
  /** Proves it on a running lab and answers what was seen, in a few words. Throws when it does not hold. */
  run(lab: Lab): Promise<string>;
}

/** How a check went. */
export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  /** What was seen, or what was wrong. */
  readonly detail: string;
}

/** Thrown by a check whose subject does not hold; the message becomes the detail. */
export class CheckFailed extends Error {
  override readonly name = 'CheckFailed';
}

/**
 * Fails the check unless the condition holds.
 * @throws CheckFailed
 */
export function expectThat(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new CheckFailed(otherwise);
}
