import { CodedError, messageOf } from '@isthmus/core';
import { LAB_NO_SUCH } from '../lab.errors.ts';
import type { Lab } from '../lab.ts';
import type { Check, CheckResult } from './check.ts';

/** Which checks to run. */
export interface CheckChoice {
  /** The check of this name alone. */
  readonly only?: string;
  /** Leave out what breaks something for a while. */
  readonly quick?: boolean;
}

/** Told while checks run, and asked whether to go on. */
export interface CheckWatcher {
  started?(name: string): void;
  /** Aborted: the check that runs is the last one. */
  readonly signal?: AbortSignal;
}

/**
 * The checks that are wanted.
 * @throws CodedError LAB_NO_SUCH
 */
export function chooseChecks(all: readonly Check[], choice: CheckChoice): readonly Check[] {
  const chosen = all.filter((check) => (choice.only === undefined || check.name === choice.only) && !(choice.quick && check.disruptive));
  if (chosen.length > 0 || choice.only === undefined) return chosen;
  throw new CodedError(LAB_NO_SUCH, `there is no check ${choice.only}; there are ${all.map((check) => check.name).join(', ')}`, {
    object: choice.only,
  });
}

/**
 * Runs checks one after the other, so that none sees what another breaks. A failed check does not stop the rest; one that the lab's topology
 * has nothing for is left out.
 */
export async function runChecks(lab: Lab, checks: readonly Check[], watcher: CheckWatcher = {}): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) {
    if (watcher.signal?.aborted) break;
    if (check.applies?.(lab) === false) continue;
    watcher.started?.(check.name);
    results.push(await runCheck(lab, check));
  }
  return results;
}

async function runCheck(lab: Lab, check: Check): Promise<CheckResult> {
  try {
    return { name: check.name, ok: true, detail: await check.run(lab) };
  } catch (error) {
    return { name: check.name, ok: false, detail: messageOf(error) };
  }
}
