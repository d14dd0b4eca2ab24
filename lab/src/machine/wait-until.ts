import { CodedError, delay, systemClock } from '@isthmus/core';
import { LAB_TIMEOUT } from '../lab.errors.ts';

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

/** How many times as long everything may take: on a machine that is emulated. */
const PATIENCE = Number(process.env['ISTHMUS_LAB_PATIENCE'] ?? 1);

/**
 * Looks until the condition is something other than undefined and false, and answers that.
 * @throws CodedError LAB_TIMEOUT; whatever the condition throws
 */
export async function waitUntil<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions,
): Promise<T> {
  const timeoutMs = options.timeoutMs * PATIENCE;
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
