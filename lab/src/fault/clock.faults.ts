import { setClockOffset } from '../process/stepped-clock.ts';
import { defineFault, type Fault } from './fault.ts';

/**
 * The wall clock of all the mesh's own processes jumps, forwards or backwards; monotonic time and the machine's clock stay as they are. Needs a
 * lab that was brought up with `steppableClock`.
 */
export function clock(seconds: number): Fault {
  return defineFault(`clock ${seconds}`, async (lab, undo) => {
    undo.add(async () => setClockOffset(lab.plan.paths.clock, 0));
    setClockOffset(lab.plan.paths.clock, seconds);
  });
}
