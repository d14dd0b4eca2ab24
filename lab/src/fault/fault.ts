import { messageOf } from '@isthmus/core';
import type { Lab } from '../lab.ts';

/** Takes a fault back, and waits until what it had taken down is there again. */
export type Undo = () => Promise<void>;

/** Something that goes wrong in a lab. */
export interface Fault {
  /** For people: `kill east/n1/agent`. */
  readonly name: string;
  /** Makes it go wrong. Where that fails half-way, what was done is taken back before it throws. */
  inject(lab: Lab): Promise<Undo>;
}

/** Steps that take a fault back; the last one that was added comes first. */
export class UndoSteps {
  readonly #steps: Undo[] = [];

  add(step: Undo): void {
    this.#steps.push(step);
  }

  /** Does every step, also after one that failed. @throws AggregateError */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) await step().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, failures.map(messageOf).join('; '));
  }
}

/** A fault of a few lines: `inject` adds to the steps whatever takes back what it does next. */
export function defineFault(name: string, inject: (lab: Lab, undo: UndoSteps) => Promise<void>): Fault {
  return {
    name,
    async inject(lab) {
      const undo = new UndoSteps();
      try {
        await inject(lab, undo);
      } catch (error) {
        await undo.run();
        throw error;
      }
      return () => undo.run();
    },
  };
}

/** Does `work` while something is wrong, and takes it back, however the work ends. */
export async function withFault<T>(lab: Lab, fault: Fault, work: () => Promise<T>): Promise<T> {
  const undo = await fault.inject(lab);
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await undo().catch((after: unknown) => {
      throw new AggregateError([error, after], `${messageOf(error)}; and then ${fault.name} could not be taken back: ${messageOf(after)}`);
    });
    throw error;
  }
  await undo();
  return result;
}

/** Several faults at once, injected in this order and taken back in reverse. */
export function together(...faults: readonly Fault[]): Fault {
  return defineFault(faults.map(({ name }) => name).join(' and '), async (lab, undo) => {
    for (const fault of faults) undo.add(await fault.inject(lab));
  });
}
