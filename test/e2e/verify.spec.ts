import { CHECKS, Lab } from '@isthmus/lab';

const NAME = 'e2everify';
const MINUTE_MS = 60_000;

/** Everything that `make lab` proves, on a lab of its own. The order is that of the list: each check leaves the lab as it was. */
describe('a lab of two clusters', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.up('two-clusters', { name: NAME });
  }, 2 * MINUTE_MS);

  afterAll(() => Lab.down(NAME), MINUTE_MS);

  it.each(CHECKS)(
    'proves $name',
    async (check) => {
      expect(check.applies?.(lab) ?? true).toBe(true);
      expect(await check.run(lab)).not.toBe('');
    },
    2 * MINUTE_MS,
  );
});
