import { CHECKS } from '@isthmus/lab';
import { checksBeyondTwo, checksOf, describeLab } from '../prove-lab.ts';

const NAME = 'e2everify';

const OF_TWO = checksOf('two-clusters');
/** Those which only three clusters can prove, and what parting two of three leaves the third. */
const OF_THREE = checksBeyondTwo('three-clusters', ['disconnect-forgets-the-other-cluster']);

/** What racks alone can prove is proved in the BGP tier, which fetches their routers; what encryption alone can, in the WireGuard tier. */
const ELSEWHERE = [...checksOf('bgp-rack'), ...checksOf('encrypted')];

it('leaves no check without a topology', () => {
  const proved = new Set([...OF_TWO, ...OF_THREE, ...ELSEWHERE]);
  expect(CHECKS.filter((check) => !proved.has(check)).map(({ name }) => name)).toEqual([]);
});

// Everything that `make lab` proves.
describeLab('a lab of two-clusters', 'two-clusters', NAME, OF_TWO);
describeLab('a lab of three-clusters', 'three-clusters', NAME, OF_THREE);
