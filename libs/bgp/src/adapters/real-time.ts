import { readdirSync } from 'node:fs';
import { errno, libcCalls } from './libc.ts';

const SCHED_FIFO = 1;
const ESRCH = 3;

/** How the process is scheduled. */
export interface RealTime {
  /** Whether it comes before all that is not real-time. */
  readonly fifo: boolean;
  /** Why not; absent when it does. */
  readonly error?: string;
}

/**
 * Has the kernel run this process before all ordinary ones, by SCHED_FIFO. All threads that there are, because the one that counts waits for
 * those that collect garbage; threads made later inherit it.
 * @param priority 1 to 99; the kernel's own threads are at 50 and above
 */
export function becomeRealTime(priority: number): RealTime {
  const parameters = new Uint8Array(Int32Array.of(priority).buffer);
  for (const thread of readdirSync('/proc/self/task')) {
    if (libcCalls.schedSetscheduler(Number(thread), SCHED_FIFO, parameters) === 0) continue;
    const failed = errno();
    if (failed === ESRCH) continue; // It ended meanwhile.
    const why = libcCalls.strerror(failed);
    return { fifo: false, error: `the kernel does not let it have SCHED_FIFO (${why}): sessions may fail when the machine is busy` };
  }
  return { fifo: true };
}
