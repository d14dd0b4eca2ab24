import { existsSync } from 'node:fs';
import { LEARNED_ROUTE_PROTOCOL } from '@isthmus/datapath';
import { BIRD_INTERFACE_AS, BirdInterface } from './bird-interface.ts';
import { TOOLCHAIN, until } from './daemon-process.ts';
import { FRR_INTERFACE_AS, FrrInterface } from './frr-interface.ts';
import { createLink, type TestLink } from './link.ts';
import { OwnProcess } from './own-process.ts';

/** Against hanging only. */
const TIMEOUT_MS = 60_000;
const present = existsSync(`${TOOLCHAIN}usr/lib/frr/bgpd`) && existsSync(`${TOOLCHAIN}usr/sbin/bird`);
if (!present) console.warn('skipped: FRR or BIRD is not there; scripts/setup-bgp fetches it and says why it cannot');

const OUR_ROUTES = ['192.0.2.0/24', '2001:db8:1::/48'];
const OUR_ADDRESSES = ['192.0.2.1', '2001:db8:1::1'];
const THEIR_ROUTES = ['203.0.113.0/24', '2001:db8:2::/48'];
const THEIR_ADDRESSES = ['203.0.113.1', '2001:db8:2::1'];

(present ? describe : describe.skip)('a peer without an address', () => {
  let link: TestLink;
  let ours: OwnProcess;

  beforeAll(async () => {
    link = createLink('unnum');
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
    ours = new OwnProcess(link.ours);
  });
  afterEach(() => ours.stop());

  const theirAddress = (): string => /fe80::[0-9a-f:]+/.exec(link.runThere('ip', '-6', 'address', 'show', 'dev', 'bgp0'))![0];
  const begin = (asn: number): void => ours.start({ device: 'bgp0', peer: { asn, connectRetryMs: 500 }, prefixes: OUR_ROUTES });
  const reaches = (run: TestLink['run'], from: string, to: string): void =>
    expect(run('ping', '-c', '1', '-W', '5', '-I', from, to)).toContain(' 0% packet loss');

  /** Both sides have each other's routes, in their kernels too, and packets take them. */
  async function exchanges(): Promise<void> {
    for (const prefix of THEIR_ROUTES) await ours.says(`{"prefix":"${prefix}","nextHops":["${theirAddress()}"],"failures":[]}`);
    for (const [i, to] of THEIR_ADDRESSES.entries()) {
      await until(
        `the route in the kernel there (${ours.log})`,
        () => link.runThere('ip', i === 0 ? '-4' : '-6', 'route', 'show', 'dev', 'bgp0'),
        (text) => text.includes(OUR_ROUTES[i]!),
      );
      reaches(link.run, OUR_ADDRESSES[i]!, to);
      reaches(link.runThere, to, OUR_ADDRESSES[i]!);
    }
    const installed = link.run('ip', '-4', 'route', 'show', 'proto', String(LEARNED_ROUTE_PROTOCOL));
    expect(installed).toContain(`203.0.113.0/24 via inet6 ${theirAddress()} dev bgp0`);
  }

  it(
    'is found, exchanges routes of both families with FRR, and has them taken back',
    async () => {
      const frr = new FrrInterface(link.theirs);
      try {
        await frr.start();
        begin(FRR_INTERFACE_AS);
        await exchanges();
        expect(await frr.session()).toMatch(/Extended nexthop: advertised and received/);
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
    'is found, exchanges routes of both families with BIRD, and has them taken back',
    async () => {
      const bird = new BirdInterface(link.theirs);
      try {
        bird.start();
        begin(BIRD_INTERFACE_AS);
        await exchanges();
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
