import { checksOf, describeLab, EVERYTHING } from '../prove-lab.ts';

const checks = checksOf('encrypted-native');

// What every run proves on the tunnel's lab takes minutes here, too: this one is left to what has no limit of time.
if (EVERYTHING) describeLab('a lab whose nodes encrypt what they route natively', 'encrypted-native', 'natverify', checks);

it('has what encryption has to prove, in every test run', () => {
  const names = checks.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['encrypted', 'no-loss-while-keys-rotate-under-load', 'full-mtu-packet']));
});
