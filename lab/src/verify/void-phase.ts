import { CheckFailed } from './check.ts';

/** How often at most a phase is run that may turn out to be void. */
const ATTEMPTS = 3;

/** What the machine itself dropped may be all that is missing: nothing is known, and only another run can tell. */
export class RigOverloaded extends CheckFailed {}

/**
 * Runs a phase, and again where this machine itself may have lost what is missing: that says nothing.
 * @param onVoid told why it is run once more
 * @throws RigOverloaded when it was void every time; whatever else the phase throws
 */
export async function repeatVoid<T>(phase: () => Promise<T>, onVoid: (why: string) => void = () => undefined): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await phase();
    } catch (error) {
      if (!(error instanceof RigOverloaded)) throw error;
      if (attempt === ATTEMPTS)
        throw new RigOverloaded(`void ${ATTEMPTS} times, so that nothing is proved; the last time: ${error.message}`);
      onVoid(error.message);
    }
  }
}
