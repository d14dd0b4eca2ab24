import { CHECKS, Lab, loadTopology, planLab } from '@isthmus/lab';

const NAME = 'encverify';
const MINUTE_MS = 60_000;
const EVERYTHING = process.env['ISTHMUS_TEST_ALL'] === '1';

/** Of the checks that any two clusters can prove, those that go by what encryption changes: sizes, ways, and who sends. */
const ANYWHERE = [
  'processes',
  'underlay',
  'pod-to-pod-across-nodes-udp',
  'pod-to-pod-across-clusters-tcp',
  'sender-identity-across-clusters',
  'pod-cannot-forge-an-identity',
  'host-to-pod-across-clusters',
  'pod-to-host-across-clusters',
  'full-mtu-packet',
  'too-big-is-answered',
  'service-affinity-none-both-clusters',
];

/** What takes half a minute and longer. */
const LONG = [
  'no-loss-while-agents-die-in-rotations',
  'closed-while-wireguard-and-agent-are-gone',
  'partition-while-keys-rotate',
  'rejoins-after-keys-went-on-without-it',
];

/** What encryption alone can prove comes first; everything, where there is no limit of time. */
const plans = ['encrypted', 'two-clusters'].map((topology) => ({ plan: planLab(NAME, loadTopology(topology)) }) as Lab);
const [encrypted = [], elsewhere = []] = plans.map((lab) => CHECKS.filter((check) => check.applies?.(lab) ?? true));
const inAnyLab = new Set(elsewhere.map(({ name }) => name));
const chosen = encrypted.filter(({ name }) => EVERYTHING || ANYWHERE.includes(name) || (!inAnyLab.has(name) && !LONG.includes(name)));

describe('a lab whose nodes encrypt', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.up('encrypted', { name: NAME });
  }, 2 * MINUTE_MS);

  afterAll(() => Lab.down(NAME), MINUTE_MS);

  it.each(chosen)(
    'proves $name',
    async (check) => {
      expect(await check.run(lab)).not.toBe('');
    },
    4 * MINUTE_MS,
  );
});
