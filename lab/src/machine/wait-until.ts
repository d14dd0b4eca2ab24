import { CodedError, delay, systemClock } from '@isthmus/core';
import { LAB_MACHINE, LAB_TIMEOUT } from '../lab.errors.ts';

/** What to wait for and how long. */
export interface WaitOptions {
  /** Ends the sentence "waited for ...". */
  readonly what: string;
  readonly timeoutMs: number;
  /** Milliseconds between two looks. */
  readonly everyMs?: number;
  /** Adds to the error what is known when time is up. */
  readonly onTimeout?: () => string;
}

/**
 * Looks until the condition is something other than undefined and false, and answers that.
 * @throws CodedError LAB_TIMEOUT; whatever the condition throws
 */
export async function waitUntil<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions,
): Promise<T> {
  const timeoutMs = options.timeoutMs * patience();
  const deadline = systemClock.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value as T;
    if (systemClock.now() >= deadline) {
      const detail = options.onTimeout?.() ?? '';
      throw new CodedError(LAB_TIMEOUT, `waited ${timeoutMs / 1000} s for ${options.what}${detail === '' ? '' : `: ${detail}`}`, {
        object: options.what,
      });
    }
    await delay(systemClock, options.everyMs ?? 20);
  }
}

/** How many times as long everything may take: on a machine that is emulated. @throws CodedError LAB_MACHINE when that is no number */
function patience(): number {
  const text = process.env['ISTHMUS_LAB_PATIENCE'] ?? '1';
  if (Number(text) > 0) return Number(text);
  throw new CodedError(LAB_MACHINE, `ISTHMUS_LAB_PATIENCE is ${JSON.stringify(text)}`, {
    object: 'ISTHMUS_LAB_PATIENCE',
    action: 'Set it to how many times as long everything may take, or unset it.',
  });
}
