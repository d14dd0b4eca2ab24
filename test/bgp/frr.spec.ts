import { type BgpSpeaker, type PeerConnection, type PeerRouting, type PeerStatus, Rib } from '@isthmus/bgp';
import { systemClock } from '@isthmus/core';
import { until } from './daemon-process.ts';
import { Frr, type FrrOptions } from './frr.ts';
import { createLink, OUR_AS, OURS, type TestLink, THEIRS } from './link.ts';
import { ourSpeaker } from './our-speaker.ts';

/** Against hanging only. */
const TIMEOUT_MS = 60_000;

const THEIR_ROUTES = '2001:db8:2::/48,203.0.113.0/24';
const OUR_ROUTES = ['192.0.2.0/24', '2001:db8:1::/48'];

describe('FRR', () => {
  let link: TestLink;
  let frr: Frr;
  let rib: Rib;
  let speaker: BgpSpeaker<PeerRouting>;

  beforeAll(() => {
    link = createLink('frr');
  });
  afterAll(() => link.remove());
  beforeEach(() => {
    frr = new Frr(link.theirs);
    rib = new Rib({ asn: OUR_AS, routerId: '10.99.0.1', clock: systemClock, later: setImmediate });
    for (const prefix of OUR_ROUTES) rib.originate({ prefix, attributes: { med: 7, communities: [65001 * 65536 + 5] } });
  });
  afterEach(async () => {
    await speaker.stop();
    await frr.stop();
  });

  const peer = (more: Partial<PeerConnection & PeerRouting> = {}) => ({
    address: THEIRS.ipv4,
    asn: frr.asn,
    connectRetryMs: 500,
    nextHops: { ipv6: OURS.ipv6 },
    importPolicy: { rules: [], otherwise: 'accept' } as const,
    ...more,
  });

  async function begin(theirs: FrrOptions = {}, ours: Partial<PeerConnection & PeerRouting> = {}, listens = false): Promise<void> {
    frr.start(theirs);
    speaker = ourSpeaker(link, rib, listens ? { listen: [{ address: '0.0.0.0', port: 179 }] } : {});
    speaker.addPeer(peer(ours));
    await speaker.start();
  }

  const status = (): PeerStatus => speaker.status()[0]!;
  /** FRR sends back what it was told, too: those are loops. */
  const learned = (): string =>
    (['ipv4', 'ipv6'] as const)
      .flatMap((family) => [...rib.routes(family)])
      .flatMap(({ prefix, paths }) => (paths.some(({ own, accepted }) => !own && accepted) ? [prefix] : []))
      .sort()
      .join();
  const up = (): Promise<unknown> => until(`the session (${frr.log})`, status, ({ state }) => state === 'established');
  const frrSays = (prefix: string, right: (text: string) => boolean): Promise<string> =>
    until(`FRR's route to ${prefix}`, () => frr.route(prefix), right);

  it.each([
    ['opens, with GTSM and TCP-MD5', { neighbour: ['passive', 'ttl-security hops 1', 'password right'] }, false],
    ['takes, with GTSM and TCP-MD5', { neighbour: ['ttl-security hops 1', 'password right'] }, true],
  ])(
    'exchanges routes of both families over a session that this side %s',
    async (_, theirs, listens) => {
      await begin(theirs, { gtsmHops: 1, password: 'right', passive: listens }, listens);
      await up();
      await until('the routes', learned, (all) => all === THEIR_ROUTES);
      for (const prefix of OUR_ROUTES) {
        const text = await frrSays(prefix, (answer) => answer.includes('Community: 65001:5'));
        expect(text).toContain('metric 7');
        expect(text).toContain(prefix.includes(':') ? 'fd99::1' : '10.99.0.1');
      }
      const capabilities = await frr.session();
      for (const name of ['4 Byte AS', 'Route refresh', 'Enhanced Route Refresh', 'Extended Message'])
        expect(capabilities).toMatch(new RegExp(`${name}: advertised and received`));
      rib.withdraw(OUR_ROUTES[0]!);
      await frrSays(OUR_ROUTES[0]!, (text) => text.includes('not in table'));
    },
    TIMEOUT_MS,
  );

  it(
    'does not come up with another password',
    async () => {
      await begin({ neighbour: ['passive', 'password right'] }, { password: 'wrong' });
      await until(
        'the failure',
        () => status().lastError ?? '',
        (text) => text.includes('no connection to 10.99.0.2'),
      );
      expect(status().state).not.toBe('established');
    },
    TIMEOUT_MS,
  );

  it(
    'sends all again when asked, and asks for nothing twice; a text of its operator arrives',
    async () => {
      await begin({ neighbour: ['passive'] });
      await up();
      await until('the routes', learned, (all) => all === THEIR_ROUTES);
      await frr.command(`clear bgp ipv4 unicast ${OURS.ipv4} soft in`, `clear bgp ipv4 unicast ${OURS.ipv4} soft out`);
      await frrSays(OUR_ROUTES[0]!, (answer) => answer.includes('Community: 65001:5'));
      expect([learned(), status().state]).toEqual([THEIR_ROUTES, 'established']);
      await frr.command('configure terminal', `router bgp ${frr.asn}`, `neighbor ${OURS.ipv4} shutdown message back at noon`);
      await until(
        'the text',
        () => status().lastError ?? '',
        (text) => text.includes('back at noon'),
      );
      await until('the withdrawal', learned, (all) => all === '');
    },
    TIMEOUT_MS,
  );

  it(
    'keeps FRR’s routes while FRR restarts, and has its own kept while it restarts itself',
    async () => {
      const restart = { lines: ['bgp graceful-restart', 'bgp graceful-restart preserve-fw-state'], neighbour: ['passive'] };
      const gracefulRestart = { restartTime: 60 };
      await begin(restart, { gracefulRestart });
      await up();
      await until('the routes', learned, (all) => all === THEIR_ROUTES);
      await frr.end('SIGKILL');
      await until('the loss', status, ({ state }) => state !== 'established');
      expect([learned(), status().stale]).toEqual([THEIR_ROUTES, ['ipv4', 'ipv6']]);
      frr.start(restart);
      await up();
      await until('its End-of-RIB', status, ({ stale }) => stale.length === 0);
      await until('the routes', learned, (all) => all === THEIR_ROUTES);
      await frrSays(OUR_ROUTES[0]!, (answer) => answer.includes('Community: 65001:5'));
      await speaker.stop();
      await until(
        'FRR’s view',
        () => frr.session(),
        (text) => !text.includes('BGP state = Established'),
      );
      expect(await frr.route(OUR_ROUTES[0]!)).toContain('stale');
      speaker = ourSpeaker(link, rib, { restarting: true });
      speaker.addPeer(peer({ gracefulRestart }));
      await speaker.start();
      await up();
      await frrSays(OUR_ROUTES[0]!, (text) => text.includes('Community: 65001:5') && !text.includes('stale'));
    },
    TIMEOUT_MS,
  );

  it(
    'ends the session of a peer that sends more than it may, and FRR shows why',
    async () => {
      await begin({ neighbour: ['passive'] }, { maxPrefixes: 1 });
      await until(
        'the end',
        () => status().lastError ?? '',
        (text) => text.includes('more prefixes than it may'),
      );
      await until(
        'FRR’s reason',
        () => frr.session(),
        (text) => text.includes('Cease/Maximum Number of Prefixes Reached'),
      );
      expect(status().state).toBe('idle');
    },
    TIMEOUT_MS,
  );
});
