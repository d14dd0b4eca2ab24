import { readdirSync, readFileSync } from 'node:fs';
import { delay, systemClock } from '@isthmus/core';
import { foreignTicks, type ProcessTime, processTime, stolenTicks, TICKS_PER_SECOND } from './cpu-time.ts';
import { MAX_FOREIGN_CORES, type NoiseMeter } from './harness.ts';

/**
 * Measures how many cores others used meanwhile: the time of every process but this one, `ownRoots` and all their descendants, and what
 * other machines stole. It adds up processes rather than taking ours off the machine's total: a process is charged for the interrupts
 * that hit it, the total has them apart, and the difference would hide that much foreign work behind our own network traffic.
 * @param ownRoots processes that work for the benchmark but were not started by it, as the agents of a lab
 */
export function foreignCpuMeter(ownRoots: () => readonly number[] = () => []): NoiseMeter {
  return () => {
    const before = sample(ownRoots());
    return () => {
      const now = sample(ownRoots());
      const seconds = (now.at - before.at) / 1000;
      return seconds <= 0 ? 0 : Math.max(0, (now.foreign - before.foreign) / TICKS_PER_SECOND / seconds);
    };
  };
}

/** How long, and how often, it is looked whether others are quiet. */
const LOOK_MS = 200;
const LOOKS = 25;

/** Waits until others are quiet, or have not been for five seconds: most of what disturbs a shared machine is short. */
export async function untilQuiet(noise: NoiseMeter): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    const foreignCores = noise();
    await delay(systemClock, LOOK_MS);
    if (foreignCores() <= MAX_FOREIGN_CORES) return;
  }
}

function sample(ownRoots: readonly number[]): { at: number; foreign: number } {
  const stolen = stolenTicks(readFileSync('/proc/stat', 'utf8'));
  return { at: performance.now(), foreign: stolen + foreignTicks(processes(), [process.pid, ...ownRoots]) };
}

function processes(): ProcessTime[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(readProcess).filter((each) => each !== undefined);
}

function readProcess(pid: string): ProcessTime | undefined {
  try {
    return processTime(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    // It ended between the listing and now: its time is its parent's.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
