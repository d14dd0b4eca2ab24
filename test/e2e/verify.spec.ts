import { CHECKS, type Check, Lab, loadTopology, planLab } from '@isthmus/lab';

const NAME = 'e2everify';
const MINUTE_MS = 60_000;
const EVERYTHING = process.env['ISTHMUS_TEST_ALL'] === '1';

/** The checks that a topology has something for. */
function checksOf(topology: string): Check[] {
  const lab = { plan: planLab(NAME, loadTopology(topology)) } as Lab;
  return CHECKS.filter((check) => check.applies?.(lab) ?? true);
}

const OF_TWO = checksOf('two-clusters');
/** Those which only three clusters can prove, and what parting two of three leaves the third. */
const OF_THREE = checksOf('three-clusters').filter(
  (check) => EVERYTHING || !OF_TWO.includes(check) || check.name === 'disconnect-forgets-the-other-cluster',
);

/** What racks alone can prove is proved in the BGP tier, which fetches their routers; what encryption alone can, in the WireGuard tier. */
const ELSEWHERE = [...checksOf('bgp-rack'), ...checksOf('encrypted')];

it('leaves no check without a topology', () => {
  const proved = new Set([...OF_TWO, ...OF_THREE, ...ELSEWHERE]);
  expect(CHECKS.filter((check) => !proved.has(check)).map(({ name }) => name)).toEqual([]);
});

/** Everything that `make lab` proves, on a lab of its own. The order is that of the list: each check leaves the lab as it was. */
describe.each([
  ['two-clusters', OF_TWO],
  ['three-clusters', OF_THREE],
] as const)('a lab of %s', (topology, checks) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.up(topology, { name: NAME });
  }, 2 * MINUTE_MS);

  afterAll(() => Lab.down(NAME), MINUTE_MS);

  it.each(checks)(
    'proves $name',
    async (check) => {
      expect(await check.run(lab)).not.toBe('');
    },
    2 * MINUTE_MS,
  );
});
