import { randomInt } from 'node:crypto';
import { delay, systemClock } from '@isthmus/core';
import type { Lab } from '../lab.ts';
import { defineFault, type Fault } from './fault.ts';
import { startAgain, waitForProcess } from './lab-process.ts';

/** A process is killed by SIGKILL. Taken back: it is started again, and ready. */
export function kill(id: string): Fault {
  return defineFault(`kill ${id}`, async (lab, undo) => {
    undo.add(() => startAndWait(lab, id));
    await lab.processes.stop(id, 'SIGKILL');
  });
}

/** A process stands still (SIGSTOP): it answers nobody, and its connections stay. Taken back: it goes on. */
export function stop(id: string): Fault {
  return defineFault(`stop ${id}`, async (lab, undo) => {
    undo.add(async () => {
      lab.processes.signal(id, 'SIGCONT');
      await waitForProcess(lab, id);
    });
    lab.processes.signal(id, 'SIGSTOP');
  });
}

/** How long a process that stutters goes on for. */
const GOES_ON_MS = 100;

/** A process stands still again and again, for up to so long each time: whoever asks it something waits. Taken back: it goes on. */
export function stutter(id: string, upToMs: number): Fault {
  return defineFault(`stutter ${id} ${upToMs}`, async (lab, undo) => {
    lab.processes.get(id); // or there is none
    const over = new AbortController();
    const stuttering = stopAndGo(lab, id, upToMs, over.signal);
    undo.add(async () => {
      over.abort();
      await stuttering;
      await waitForProcess(lab, id);
    });
  });
}

async function stopAndGo(lab: Lab, id: string, upToMs: number, over: AbortSignal): Promise<void> {
  const pause = (ms: number): Promise<void> => delay(systemClock, ms, over).catch(() => undefined);
  while (!over.aborted) {
    lab.processes.signal(id, 'SIGSTOP');
    await pause(randomInt(upToMs) + 1);
    lab.processes.signal(id, 'SIGCONT');
    await pause(GOES_ON_MS);
  }
}

async function startAndWait(lab: Lab, id: string): Promise<void> {
  startAgain(lab, id);
  await waitForProcess(lab, id);
}
