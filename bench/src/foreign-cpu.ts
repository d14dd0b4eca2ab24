import { readdirSync, readFileSync } from 'node:fs';
import { busyTicks, type ProcessTime, processTime, TICKS_PER_SECOND, treeTicks } from './cpu-time.ts';
import type { NoiseMeter } from './harness.ts';

/**
 * Measures how many cores others used meanwhile: what /proc/stat counts, less this process, `ownRoots` and all their descendants. On kernels
 * that count interrupts to the process they hit, ours included, the result is a little low.
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

function sample(ownRoots: readonly number[]): { at: number; foreign: number } {
  const own = treeTicks(processes(), [process.pid, ...ownRoots]);
  return { at: performance.now(), foreign: busyTicks(readFileSync('/proc/stat', 'utf8')) - own };
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
