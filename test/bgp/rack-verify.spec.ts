import { CHECKS, Lab, loadTopology, planLab } from '@isthmus/lab';

const NAME = 'bgpverify';
const MINUTE_MS = 60_000;
const EVERYTHING = process.env['ISTHMUS_TEST_ALL'] === '1';

/** Of the checks that any two clusters can prove, those that show that a routed underlay of many links is one. */
const ANYWHERE = ['processes', 'underlay', 'pod-to-pod-across-nodes-udp', 'pod-to-pod-across-clusters-tcp', 'pod-to-host-across-clusters'];

/** What racks alone can prove comes first; everything, where there is no limit of time. */
const plans = ['bgp-rack', 'two-clusters'].map((topology) => ({ plan: planLab(NAME, loadTopology(topology)) }) as Lab);
const [inRacks = [], elsewhere = []] = plans.map((lab) => CHECKS.filter((check) => check.applies?.(lab) ?? true));
const chosen = inRacks.filter((check) => EVERYTHING || !elsewhere.includes(check) || ANYWHERE.includes(check.name));

describe('a lab of racks', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.up('bgp-rack', { name: NAME });
  }, 2 * MINUTE_MS);

  afterAll(() => Lab.down(NAME), MINUTE_MS);

  it.each(chosen)(
    'proves $name',
    async (check) => {
      expect(await check.run(lab)).not.toBe('');
    },
    2 * MINUTE_MS,
  );
});
