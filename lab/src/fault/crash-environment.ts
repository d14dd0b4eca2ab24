import { readFileSync } from 'node:fs';
import type { RotationAction } from '@isthmus/crypto';

/**
 * Something that an agent does when keys rotate; `agreeing`: it is about to save a preshared key that it agrees on with another node, which may have it
 * already; `agreed`: it has saved it, and the other one need not know.
 */
export type RotationStep = RotationAction['do'] | 'agreeing' | 'agreed';

/** Environment in which an agent is gone, as by SIGKILL, right after it has done the first of such steps. */
export function crashEnvironment(steps: Iterable<RotationStep>): Record<string, string> {
  return {
    NODE_OPTIONS: `--import=${new URL('./crash-point.ts', import.meta.url).href}`,
    ISTHMUS_LAB_CRASH_AFTER: [...steps].join(','),
  };
}

/** The step after which a process is gone, as it said last; undefined when it said something else. @param log file */
export function crashedAfter(log: string): RotationStep | undefined {
  return /(?:^|\n)crash after (\S+)\n$/.exec(readFileSync(log, 'utf8'))?.[1] as RotationStep | undefined;
}
