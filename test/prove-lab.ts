import { CHECKS, type Check, Lab, loadTopology, planLab } from '@isthmus/lab';

const MINUTE_MS = 60_000;
/** There is no limit of time. */
export const EVERYTHING = process.env['ISTHMUS_TEST_ALL'] === '1';

/** The checks that a topology has something for. */
export function checksOf(topology: string): Check[] {
  const lab = { plan: planLab('lab', loadTopology(topology)) } as Lab;
  return CHECKS.filter((check) => check.applies?.(lab) ?? true);
}

/** A check that is void is run three times, and the longest take minutes each time. */
const CHECK_MS = (EVERYTHING ? 30 : 4) * MINUTE_MS;

/** Of the checks of a topology, those that two clusters cannot prove, and those of these names; everything, where there is no limit of time. */
export function checksBeyondTwo(topology: string, anywhere: readonly string[]): Check[] {
  const ofTwo = checksOf('two-clusters');
  return checksOf(topology).filter((check) => EVERYTHING || !ofTwo.includes(check) || anywhere.includes(check.name));
}

/** Tests that prove checks on a lab of their own. The order is that of the list: each check leaves the lab as it was. */
export function describeLab(title: string, topology: string, name: string, checks: readonly Check[]): void {
  describe(title, () => {
    let lab: Lab;

    beforeAll(async () => {
      lab = await Lab.up(topology, { name });
    }, 2 * MINUTE_MS);

    afterAll(() => Lab.down(name), MINUTE_MS);

    it.each(checks)(
      'proves $name',
      async (check) => {
        expect(await check.run(lab)).not.toBe('');
      },
      CHECK_MS,
    );
  });
}
