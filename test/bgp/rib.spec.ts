import { execFileSync } from 'node:child_process';
import {
  type BgpSpeaker,
  encodeAttributes,
  type ListedPath,
  type PeerConnection,
  type PeerRouting,
  type PeerStatus,
  Rib,
  type RouteFollower,
} from '@isthmus/bgp';
import { systemClock } from '@isthmus/core';
import { LEARNED_ROUTE_PROTOCOL, LearnedRouteSink, withNetns } from '@isthmus/datapath';
import { BIRD_AS, Bird, type BirdOptions } from './bird.ts';
import { until } from './daemon-process.ts';
import { createLink, OUR_AS, OURS, type TestLink, THEIRS } from './link.ts';
import { ourSpeaker } from './our-speaker.ts';

/** Against hanging only. */
const TIMEOUT_MS = 60_000;

const FOUR = ['198.51.100.0/25', '203.0.113.0/24'];
const THEIR_ROUTES = [...FOUR, '2001:db8:2::/48', '2001:db8:3::/64'].sort();
const ACCEPT: PeerRouting = { importPolicy: { rules: [], otherwise: 'accept' }, nextHops: { ipv6: OURS.ipv6 } };
const PEER = { address: THEIRS.ipv4, asn: BIRD_AS, connectRetryMs: 500 };
/** So many that they need more than one turn, and more than one message. */
const MANY = 20_000;

type Peer = PeerConnection & PeerRouting & { address: string };

describe('the route table, with BIRD', () => {
  let link: TestLink;
  let bird: Bird;
  let rib: Rib;
  let follower: RouteFollower;
  let speaker: BgpSpeaker<PeerRouting>;
  const sink = new LearnedRouteSink();

  beforeAll(() => {
    link = createLink('rib');
    const add = (...words: string[]): unknown => execFileSync('ip', ['-n', link.theirs, 'address', 'add', ...words]);
    add('203.0.113.1/32', 'dev', 'lo');
    add('2001:db8:2::1/128', 'dev', 'lo', 'nodad');
  });
  afterAll(() => link.remove());
  beforeEach(() => {
    bird = new Bird(link.theirs);
    rib = new Rib({ asn: OUR_AS, routerId: '10.99.0.1', clock: systemClock, later: setImmediate });
    follower = rib.follow(8);
    rib.originate({ prefix: '192.0.2.0/24', attributes: { med: 7, communities: [65001 * 65536 + 5] } });
    rib.originate({ prefix: '2001:db8:1::/48' });
  });
  afterEach(async () => {
    await speaker.stop();
    await bird.stop();
  });

  async function begin(theirs: BirdOptions = {}, ours: Partial<Peer> = ACCEPT): Promise<void> {
    bird.start(theirs);
    speaker = ourSpeaker(link, rib);
    speaker.addPeer({ ...PEER, ...ours });
    await speaker.start();
    await until('the session', status, ({ state }) => state === 'established');
  }

  const status = (): PeerStatus => speaker.status()[0]!;
  const paths = (): Record<string, ListedPath> =>
    Object.fromEntries(
      (['ipv4', 'ipv6'] as const)
        .flatMap((family) => [...rib.routes(family)])
        .flatMap(({ prefix, paths: [path] }) => (path && !path.own ? [[prefix, path]] : [])),
    );
  const accepted = (): string =>
    Object.entries(paths())
      .filter(([, path]) => path.accepted)
      .map(([prefix]) => prefix)
      .sort()
      .join();
  const birdSays = (prefix: string, right: (text: string) => boolean): Promise<string> =>
    until(`BIRD's route to ${prefix}`, () => bird.route(prefix), right);
  const birdHas = (text: string): boolean => /BGP\.origin/.test(text);

  /** Brings what the follower tells into the kernel, as an agent does. */
  const install = (): void => {
    for (let changes = follower.next(100); changes.length > 0; changes = follower.next(100)) {
      const learned = changes.filter(({ route }) => !route?.own);
      const rows = learned.flatMap(({ prefix, route }) =>
        route ? [{ key: prefix, row: { nextHops: route.nextHops.map(({ nextHop }) => ({ address: nextHop })) } }] : [],
      );
      const gone = learned.filter(({ route }) => !route).map(({ prefix }) => prefix);
      expect(withNetns(link.ours, () => [...sink.update(rows), ...sink.delete(gone)])).toEqual([]);
    }
  };
  const kernelRoutes = (): string[] =>
    [4, 6]
      .flatMap((family) => link.run('ip', `-${family}`, 'route', 'show', 'proto', String(LEARNED_ROUTE_PROTOCOL)).split('\n'))
      .filter(Boolean)
      .map((line) => line.split(' ').slice(0, 3).join(' '));

  it(
    'learns routes of both families, installs them, and reaches what is behind; what goes there goes here',
    async () => {
      await begin();
      await until('the routes', accepted, (all) => all === THEIR_ROUTES.join());
      install();
      expect(kernelRoutes().sort()).toEqual(
        THEIR_ROUTES.map((prefix) => `${prefix} via ${THEIRS[prefix.includes(':') ? 'ipv6' : 'ipv4']}`).sort(),
      );
      for (const address of ['203.0.113.1', '2001:db8:2::1'])
        expect(link.run('ping', '-c', '1', '-W', '5', address)).toContain(' 0% packet loss');
      const theirs = await birdSays('192.0.2.0/24', birdHas);
      for (const line of ['BGP.as_path: 65001', 'BGP.next_hop: 10.99.0.1', 'BGP.med: 7', '(65001,5)']) expect(theirs).toContain(line);
      expect(await birdSays('2001:db8:1::/48', birdHas)).toContain('BGP.next_hop: fd99::1');
      await bird.command('disable four');
      await until('the withdrawal', accepted, (all) => !all.includes('203.0.113.0/24'));
      install();
      expect(kernelRoutes().map((line) => line.split(' ')[0])).toEqual(['2001:db8:2::/48', '2001:db8:3::/64']);
      rib.withdraw('192.0.2.0/24');
      await birdSays('192.0.2.0/24', (text) => text.includes('not found'));
    },
    TIMEOUT_MS,
  );

  it(
    'takes nothing without a policy, and changes its mind in both directions while the session stays',
    async () => {
      await begin({}, {});
      await until(
        'the routes',
        () => Object.keys(paths()).length,
        (count) => count === THEIR_ROUTES.length,
      );
      expect(accepted()).toBe('');
      const { uptimeMs } = status();
      const within = { prefix: '198.51.100.0/24', min: 24, max: 28 };
      const importPolicy = {
        rules: [{ match: { prefixes: [within] }, action: 'accept', set: { localPref: 300 } }],
        otherwise: 'reject',
      } as const;
      const exportPolicy = {
        rules: [{ match: { family: 'ipv4' }, action: 'accept', set: { prepend: { asn: OUR_AS, times: 2 } } }],
        otherwise: 'reject',
      } as const;
      speaker.updatePeer({ ...PEER, importPolicy, exportPolicy });
      await until('the route', accepted, (all) => all === '198.51.100.0/25');
      expect(paths()['198.51.100.0/25']).toMatchObject({ best: true, attributes: { localPref: 300 } });
      await birdSays('192.0.2.0/24', (text) => text.includes('BGP.as_path: 65001 65001 65001'));
      await birdSays('2001:db8:1::/48', (text) => text.includes('not found'));
      expect(status()).toMatchObject({ state: 'established' });
      expect(status().uptimeMs).toBeGreaterThan(uptimeMs!);
    },
    TIMEOUT_MS,
  );

  it(
    'keeps packets going while BIRD restarts, and drops what does not come back',
    async () => {
      const restart = { lines: ['graceful restart on;'] };
      await begin(restart, { ...ACCEPT, gracefulRestart: { restartTime: 60 } });
      await until('the routes', accepted, (all) => all === THEIR_ROUTES.join());
      install();
      const before = kernelRoutes();
      await bird.end('SIGKILL');
      await until('the loss', status, ({ state }) => state !== 'established');
      await until(
        'the marks',
        () => Object.values(paths()).every(({ stale }) => stale),
        (all) => all,
      );
      install();
      expect(kernelRoutes()).toEqual(before);
      bird.start({ ...restart, without: 'six' });
      await until('the sweep', accepted, (all) => all === FOUR.join());
      install();
      expect(kernelRoutes()).toHaveLength(2);
      expect(Object.values(paths()).some(({ stale }) => stale)).toBe(false);
    },
    TIMEOUT_MS,
  );

  it(
    'tells BIRD all paths of a prefix, and each that goes, RFC 7911',
    async () => {
      const prefix = '10.88.0.0/16';
      const sources = [65_010, 65_011].map((asn, i) => {
        const peer = rib.addPeer({ address: `10.99.0.${10 + i}`, asn, importPolicy: ACCEPT.importPolicy! });
        const attributes = encodeAttributes({ origin: 0, asPath: [{ type: 'sequence', asns: [asn] }], nextHop: '' });
        const reach = [
          { family: 'ipv4', bytes: Uint8Array.of(16, 10, 88), addPath: false, nextHop: Uint8Array.of(10, 99, 0, 10 + i) },
        ] as const;
        rib.receive(peer, { withdrawn: [], reach, attributes, faults: [] });
        return peer;
      });
      await begin({ channels: 'add paths rx;' }, { ...ACCEPT, addPath: { send: true, receive: false } });
      const paths = (text: string): string[] => [...text.matchAll(/BGP\.as_path: (.*)/g)].map(([, path]) => path!.trim()).sort();
      await birdSays(prefix, (text) => paths(text).join() === '65001 65010,65001 65011');
      rib.removePeer(sources[0]!);
      await birdSays(prefix, (text) => paths(text).join() === '65001 65011');
      await until('BIRD’s own routes', accepted, (all) => THEIR_ROUTES.every((each) => all.includes(each)));
    },
    TIMEOUT_MS,
  );

  it(
    'keeps BIRD’s routes as a last resort when its restart takes too long, RFC 9494',
    async () => {
      const restart = {
        lines: ['graceful restart on; graceful restart time 1; long lived graceful restart on; long lived stale time 3600;'],
      };
      await begin(restart, { ...ACCEPT, gracefulRestart: { restartTime: 60, longLived: 3_600 } });
      await until('the routes', accepted, (all) => all === THEIR_ROUTES.join());
      install();
      await bird.end('SIGKILL');
      const lastResorts = (): number =>
        Object.values(paths()).filter(({ attributes: { communities = [] } }) => communities.includes(0xffff_0006)).length;
      await until('the end of the restart time', lastResorts, (count) => count === THEIR_ROUTES.length);
      install();
      expect(kernelRoutes()).toHaveLength(THEIR_ROUTES.length);
      expect(status()).toMatchObject({ stale: ['ipv4', 'ipv6'] });
      bird.start(restart);
      await until(
        'BIRD’s return',
        () => `${lastResorts()} ${accepted()}`,
        (text) => text === `0 ${THEIR_ROUTES.join()}`,
      );
      await until('its End-of-RIB', status, ({ stale }) => stale.length === 0);
      install();
      expect(kernelRoutes()).toHaveLength(THEIR_ROUTES.length);
    },
    TIMEOUT_MS,
  );

  it(
    'tells BIRD a route that needs a long message, and lets both sides ask for all again',
    async () => {
      const asns = Array.from({ length: 1_500 }, (_, i) => 100_000 + i);
      rib.originate({ prefix: '10.77.0.0/16', attributes: { asPath: [{ type: 'sequence', asns }] } });
      await begin({ lines: ['enable extended messages on;'] });
      await birdSays('10.77.0.0/16', (text) => text.includes('[AS101499i]'));
      await until('the routes', accepted, (all) => all === THEIR_ROUTES.join());
      const capabilities = await bird.session();
      for (const name of ['Extended message', 'Enhanced refresh']) expect(capabilities.split(name)).toHaveLength(3);
      follower.next(100);
      const before = await bird.route('192.0.2.0/24');
      await bird.command('reload in isthmus');
      await bird.command('reload out isthmus');
      await bird.command('disable six');
      await until('what comes after', accepted, (all) => all === FOUR.join());
      expect(follower.next(100).map(({ prefix, route }) => [prefix, route])).toEqual(
        THEIR_ROUTES.slice(1, 3).map((prefix) => [prefix, undefined]),
      );
      expect(Object.values(paths()).some(({ stale }) => stale)).toBe(false);
      expect(await bird.route('192.0.2.0/24')).toBe(before);
      expect(status()).toMatchObject({ state: 'established' });
    },
    TIMEOUT_MS,
  );

  it(
    `tells ${MANY} routes, and takes them back`,
    async () => {
      const prefixes = Array.from({ length: MANY }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
      for (const prefix of prefixes) rib.originate({ prefix });
      await begin();
      const imported = (right: (text: string) => boolean): Promise<string> =>
        until('BIRD’s count', () => bird.command('show route count protocol isthmus table master4'), right);
      await imported((text) => text.startsWith(`${MANY + 1} of `) || text.includes(`\n${MANY + 1} of `));
      for (const prefix of prefixes) rib.withdraw(prefix);
      await imported((text) => text.startsWith('1 of ') || text.includes('\n1 of '));
    },
    TIMEOUT_MS,
  );
});
