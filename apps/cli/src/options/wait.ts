import { CodedError, delay } from '@isthmus/core';
import { CLI_INTERRUPTED, CLI_NOT_READY } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';

const POLL_MS = 500;

/** One look at what is waited for: what was seen, and what is still missing, empty when nothing is. */
export interface Look<T> {
  readonly seen: T;
  readonly missing: string;
}

/**
 * Looks again and again until nothing is missing.
 * @param look may throw; an error that `passing` says will pass counts as something missing
 * @throws CodedError CLI_NOT_READY after `timeoutMs`, naming what was missing last; CLI_INTERRUPTED
 */
export async function waitUntil<T>(
  cli: Cli,
  timeoutMs: number,
  look: () => Promise<Look<T>>,
  passing: (error: unknown) => boolean,
): Promise<T> {
  const end = cli.clock.now() + timeoutMs;
  for (;;) {
    let last: CodedError;
    try {
      const { seen, missing } = await look();
      if (missing === '') return seen;
      last = new CodedError(CLI_NOT_READY, `still waiting for ${missing}`);
    } catch (error) {
      if (!(error instanceof CodedError) || !passing(error)) throw error;
      last = error;
    }
    if (cli.clock.now() + POLL_MS > end) throw last;
    await pause(cli);
  }
}

async function pause(cli: Cli): Promise<void> {
  try {
    await delay(cli.clock, POLL_MS, cli.interrupted);
  } catch (cause) {
    throw new CodedError(CLI_INTERRUPTED, 'interrupted while waiting', { cause });
  }
}
