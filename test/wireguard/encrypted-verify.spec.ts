import { checksBeyondTwo, describeLab, EVERYTHING } from '../prove-lab.ts';

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

/** What takes half a minute and longer, up to several minutes. */
const LONG = [
  'no-loss-while-agents-die-in-rotations',
  'closed-while-wireguard-and-agent-are-gone',
  'not-ready-without-wireguard',
  'partition-while-keys-rotate',
  'rejoins-after-keys-went-on-without-it',
  'clusters-meet-at-epochs-like-8-and-42',
  'clusters-meet-at-epochs-like-7-and-42',
  'no-loss-while-keys-rotate-under-load',
  'no-loss-while-keys-rotate-under-load-of-one-pair',
  'no-loss-while-keys-rotate-without-apiservers',
  'no-loss-while-keys-rotate-by-slow-stores',
  'no-loss-while-agents-die-at-each-step',
];

const checks = checksBeyondTwo('encrypted', ANYWHERE).filter(({ name }) => EVERYTHING || !LONG.includes(name));

describeLab('a lab whose nodes encrypt', 'encrypted', 'encverify', checks);
