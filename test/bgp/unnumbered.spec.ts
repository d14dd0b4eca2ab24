import { LEARNED_ROUTE_PROTOCOL } from '@isthmus/datapath';
import type { AgentBgpOptions } from './agent-bgp-process.ts';
import { BIRD_INTERFACE_AS, BirdInterface } from './bird-interface.ts';
import { DaemonProcess, until } from './daemon-process.ts';
import { FRR_INTERFACE_AS, FrrInterface } from './frr-interface.ts';
import { createLink, type TestLink } from './link.ts';
import { OwnProcess } from './own-process.ts';

/** Against hanging only. */
const TIMEOUT_MS = 60_000;

const OUR_ROUTES = ['192.0.2.0/24', '2001:db8:1::/48'];
const OUR_ADDRESSES = ['192.0.2.1', '2001:db8:1::1'];
const THEIR_ROUTES = ['203.0.113.0/24', '2001:db8:2::/48'];
const THEIR_ADDRESSES = ['203.0.113.1', '2001:db8:2::1'];

describe('a peer without an address', () => {
  let link: TestLink;
  let ours: OwnProcess<AgentBgpOptions>;

  beforeAll(async () => {
    link = createLink('unnum');
    // Another link has the prefix of all link-local addresses too, and comes before.
    link.run('ip', 'link', 'add', 'other0', 'type', 'veth', 'peer', 'name', 'other1');
    link.run('ip', 'link', 'set', 'bgp0', 'down');
    for (const device of ['other0', 'other1', 'bgp0']) link.run('ip', 'link', 'set', device, 'up');
    for (const [run, addresses] of [
      [link.run, OUR_ADDRESSES],
      [link.runThere, THEIR_ADDRESSES],
    ] as const) {
      run('ip', 'address', 'flush', 'dev', 'bgp0', 'scope', 'global');
      for (const address of addresses) run('ip', 'address', 'add', address, 'dev', 'lo', ...(address.includes(':') ? ['nodad'] : []));
    }
    for (const run of [link.run, link.runThere])
      await until(
        'the link-local address',
        () => run('ip', '-6', 'address', 'show', 'dev', 'bgp0', 'scope', 'link', '-tentative'),
        (text) => text.includes('fe80::'),
      );
  });
  afterAll(() => link.remove());
  beforeEach(() => {
    ours = new OwnProcess(link.ours, 'agent-bgp-process.ts');
  });
  afterEach(() => ours.stop());

  const theirAddress = (): string => /fe80::[0-9a-f:]+/.exec(link.runThere('ip', '-6', 'address', 'show', 'dev', 'bgp0'))![0];
  const begin = (peerAsn: number, restarting = false): void => ours.start({ device: 'bgp0', peerAsn, podCidrs: OUR_ROUTES, restarting });
  const reaches = (run: TestLink['run'], from: string, to: string): void =>
    expect(run('ping', '-c', '1', '-W', '5', '-I', from, to)).toContain(' 0% packet loss');
  const installed = (family: '-4' | '-6'): string => link.run('ip', family, 'route', 'show', 'proto', String(LEARNED_ROUTE_PROTOCOL));

  /** Both kernels have the other side's routes, and packets take them. */
  async function exchanges(): Promise<void> {
    for (const [i, to] of THEIR_ADDRESSES.entries()) {
      const family = i === 0 ? '-4' : '-6';
      const via = i === 0 ? `via inet6 ${theirAddress()}` : `via ${theirAddress()}`;
      await until(
        'the route in our kernel',
        () => installed(family) + ours.log,
        (text) => text.includes(`${THEIR_ROUTES[i]} ${via} dev bgp0`),
      );
      await until(
        'the route in their kernel',
        () => link.runThere('ip', family, 'route', 'show', 'dev', 'bgp0') + ours.log,
        (text) => text.includes(OUR_ROUTES[i]!),
      );
      reaches(link.run, OUR_ADDRESSES[i]!, to);
      reaches(link.runThere, to, OUR_ADDRESSES[i]!);
    }
  }

  /** The agent is killed and comes back: our kernel loses no route meanwhile, and theirs has its own afterwards. */
  async function survives(peerAsn: number): Promise<void> {
    const monitor = new DaemonProcess(link.ours.replace(/.*\//, ''));
    try {
      monitor.start('/bin/sh', ['-c', 'exec ip monitor route']);
      await ours.end('SIGKILL');
      await exchanges();
      link.run('ip', 'neigh', 'flush', 'dev', 'bgp0'); // it has to find its peer again
      begin(peerAsn, true);
      await ours.says('BGP session is up', 2);
      await exchanges();
      // Whatever was lost has been told by the time that the monitor tells of this.
      link.run('ip', 'route', 'add', 'blackhole', '198.51.100.0/24');
      await until(
        'the end of what is watched',
        () => monitor.log,
        (text) => text.includes('198.51.100.0/24'),
      );
      expect(monitor.log).not.toContain('Deleted');
    } finally {
      await monitor.stop();
      link.run('ip', 'route', 'del', 'blackhole', '198.51.100.0/24');
    }
  }

  it(
    'is found, exchanges routes of both families with FRR, keeps them over a restart, and has them taken back',
    async () => {
      const frr = new FrrInterface(link.theirs);
      try {
        await frr.start();
        begin(FRR_INTERFACE_AS);
        await exchanges();
        expect(await frr.session()).toMatch(/Extended nexthop: advertised and received/);
        await survives(FRR_INTERFACE_AS);
        await ours.end('SIGTERM');
        await until(
          'the withdrawal',
          () => frr.route(OUR_ROUTES[0]!),
          (text) => text.includes('not in table'),
        );
      } finally {
        await frr.stop();
      }
    },
    TIMEOUT_MS,
  );

  it(
    'is found, exchanges routes of both families with BIRD, keeps them over a restart, and has them taken back',
    async () => {
      const bird = new BirdInterface(link.theirs);
      try {
        bird.start();
        begin(BIRD_INTERFACE_AS);
        await exchanges();
        await survives(BIRD_INTERFACE_AS);
        await ours.end('SIGTERM');
        await until(
          'the withdrawal',
          () => bird.route(OUR_ROUTES[0]!),
          (text) => text.includes('not found'),
        );
      } finally {
        await bird.stop();
      }
    },
    TIMEOUT_MS,
  );
});
