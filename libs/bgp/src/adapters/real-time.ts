import { readdirSync } from 'node:fs';
import { errno, libcCalls } from './libc.ts';

const SCHED_OTHER = 0;
const SCHED_FIFO = 1;
const RLIMIT_RTTIME = 15;
/** Processor time that a thread may take without once waiting for something, in microseconds: what needs more is broken. */
const LONGEST_TURN_US = 500_000n;
/** The same where nobody heard of that any more: the kernel ends the process. */
const HOPELESS_US = 5_000_000n;
const ESRCH = 3;

/** How the process is scheduled now. */
export interface RealTime {
  /** Whether it comes before all that is not real-time. */
  readonly fifo: boolean;
  /** Why not; absent when it does. */
  readonly error?: string;
}

/**
 * Has the kernel run this process before all ordinary ones, by SCHED_FIFO. All threads that there are, because the one that counts waits for
 * those that collect garbage; threads made later inherit it. One that runs on and on would take the machine from everybody else: the kernel tells
 * when that happens, and the process goes back among the ordinary ones.
 * @param priority 1 to 99; the kernel's own threads are at 50 and above
 * @param onLost it is not real-time any more
 */
export function becomeRealTime(priority: number, onLost: (why: string) => void = () => {}): RealTime {
  const now: { fifo: boolean; error?: string } = { fifo: true };
  process.on('SIGXCPU', () => {
    if (!now.fifo) return;
    schedule(SCHED_OTHER, 0);
    now.fifo = false;
    now.error = `it ran for ${LONGEST_TURN_US / 1000n} ms without waiting, and gave SCHED_FIFO up: sessions may fail when the machine is busy`;
    onLost(now.error);
  });
  const limit = new BigUint64Array([LONGEST_TURN_US, HOPELESS_US]);
  if (libcCalls.setrlimit(RLIMIT_RTTIME, new Uint8Array(limit.buffer)) !== 0) return refused(errno());
  const failed = schedule(SCHED_FIFO, priority);
  return failed === 0 ? now : refused(failed);
}

function refused(failed: number): RealTime {
  const why = libcCalls.strerror(failed);
  return { fifo: false, error: `the kernel does not let it have SCHED_FIFO (${why}): sessions may fail when the machine is busy` };
}

/** Schedules all threads of the process. @returns the error's number, 0 when it is done */
function schedule(policy: number, priority: number): number {
  const parameters = new Uint8Array(Int32Array.of(priority).buffer);
  for (const thread of readdirSync('/proc/self/task')) {
    if (libcCalls.schedSetscheduler(Number(thread), policy, parameters) === 0) continue;
    const failed = errno();
    if (failed !== ESRCH) return failed; // That one ended meanwhile.
  }
  return 0;
}
