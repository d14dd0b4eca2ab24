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

async function startAndWait(lab: Lab, id: string): Promise<void> {
  startAgain(lab, id);
  await waitForProcess(lab, id);
}
