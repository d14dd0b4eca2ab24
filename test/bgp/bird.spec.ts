import type { BgpSpeaker, BgpSpeakerOptions, PeerConnection, PeerStatus } from '@isthmus/bgp';
import { Notifier } from '@isthmus/core';
import { BIRD_AS, Bird, type BirdOptions } from './bird.ts';
import { until } from './daemon-process.ts';
import { createLink, OUR_AS, OURS, type TestLink, THEIRS } from './link.ts';
import { ourSpeaker } from './our-speaker.ts';
import { SimpleTable } from './simple-table.ts';

/** Against hanging only. */
const TIMEOUT_MS = 60_000;

/** How this end meets BIRD. */
interface Ours {
  readonly over?: 'ipv4' | 'ipv6';
  readonly peer?: Partial<PeerConnection>;
  readonly speaker?: Partial<BgpSpeakerOptions<unknown>>;
}

describe('BIRD', () => {
  let link: TestLink;
  let bird: Bird;
  let table: SimpleTable;
  let speaker: BgpSpeaker;
  const changed = new Notifier();

  beforeAll(() => {
    link = createLink('bird');
  });
  afterAll(() => link.remove());
  beforeEach(() => {
    bird = new Bird(link.theirs);
    table = new SimpleTable(OUR_AS);
    table.originate({ prefix: '192.0.2.0/24', nextHop: OURS.ipv4, med: 7, communities: [[65001, 5]], large: [[65001, 2, 3]] });
    table.originate({ prefix: '2001:db8:1::/48', nextHop: OURS.ipv6, communities: [[65535, 65281]] });
  });
  afterEach(async () => {
    await speaker.stop();
    await bird.stop();
  });

  async function begin(theirs: BirdOptions = {}, { over = 'ipv4', peer = {}, speaker: more = {} }: Ours = {}): Promise<void> {
    bird.start({ over, ...theirs });
    speaker = ourSpeaker(link, table, { onState: () => changed.notify(), ...more });
    speaker.addPeer({ address: THEIRS[over], asn: BIRD_AS, connectRetryMs: 500, ...peer });
    await speaker.start();
  }

  const status = (): PeerStatus => speaker.status()[0]!;
  const up = (): Promise<unknown> =>
    until(
      'the session',
      () => JSON.stringify(status()),
      () => status().state === 'established',
    );
  const learned = (prefix: string): Promise<unknown> =>
    until(
      `a route to ${prefix}`,
      () => table.learned.has(prefix),
      (there) => there,
    );
  const birdHas = (prefix: string, there = true): Promise<string> =>
    until(
      `BIRD's route to ${prefix}`,
      () => bird.route(prefix),
      (text) => (there ? /BGP\.origin/.test(text) : /not found/.test(text)),
    );

  it.each(['ipv4', 'ipv6'] as const)(
    'exchanges routes of both families over a session on %s that this side opens',
    async (over) => {
      await begin({ lines: ['passive on;'] }, { over });
      await up();
      for (const prefix of ['203.0.113.0/24', '198.51.100.0/25', '2001:db8:2::/48', '2001:db8:3::/64']) await learned(prefix);
      const four = table.learned.get('203.0.113.0/24')!;
      expect(four.nextHop).toBe(THEIRS.ipv4);
      expect(Object.fromEntries(four.attributes)).toMatchObject({
        1: '00',
        2: '0201fa56ea02',
        8: 'fdea0007',
        32: '0000fdea0000000100000002',
      });
      expect(table.learned.get('2001:db8:2::/48')!.nextHop).toBe(THEIRS.ipv6);
      const theirs = await birdHas('192.0.2.0/24');
      for (const line of ['BGP.as_path: 65001', 'BGP.next_hop: 10.99.0.1', 'BGP.med: 7', '(65001,5)', '(65001, 2, 3)'])
        expect(theirs).toContain(line);
      expect(await birdHas('2001:db8:1::/48')).toContain('BGP.next_hop: fd99::1');
      table.withdraw('192.0.2.0/24');
      table.withdraw('2001:db8:1::/48');
      await birdHas('192.0.2.0/24', false);
      await birdHas('2001:db8:1::/48', false);
      await bird.command('disable six');
      await until(
        'the withdrawal',
        () => table.learned.has('2001:db8:2::/48'),
        (there) => !there,
      );
      expect(status()).toMatchObject({ asn: BIRD_AS, routerId: '10.99.0.2', families: ['ipv4', 'ipv6'], holdTime: 90 });
    },
    TIMEOUT_MS,
  );

  it.each(['ipv4', 'ipv6'] as const)(
    'takes a session on %s that BIRD opens',
    async (over) => {
      const listen = [{ address: over === 'ipv4' ? '0.0.0.0' : '::', port: 179 }];
      await begin({}, { over, peer: { passive: true }, speaker: { listen } });
      await up();
      await learned('203.0.113.0/24');
      await birdHas('192.0.2.0/24');
    },
    TIMEOUT_MS,
  );

  it.each(['connects', 'listens'])(
    'signs with TCP-MD5 when this side %s, and not with another password',
    async (how) => {
      const listen = { speaker: { listen: [{ address: '0.0.0.0', port: 179 }] } };
      const passive = how === 'listens';
      await begin(
        { lines: ['password "right";', ...(passive ? [] : ['passive on;'])] },
        { peer: { password: 'wrong', passive }, ...(passive ? listen : {}) },
      );
      if (passive)
        await until(
          'BIRD timing out',
          () => bird.session(),
          (text) => /BGP state:\s+(Connect|Active)/.test(text),
        );
      else
        await until(
          'the failure',
          () => status().lastError ?? '',
          (text) => text.includes('no connection to 10.99.0.2'),
        );
      expect(status().state).not.toBe('established');
      speaker.updatePeer({ address: THEIRS.ipv4, asn: BIRD_AS, connectRetryMs: 500, password: 'right', passive });
      await up();
    },
    TIMEOUT_MS,
  );

  it(
    'keeps the session to the link with GTSM',
    async () => {
      await begin({ lines: ['ttl security on;', 'passive on;'] }, { peer: { gtsmHops: 1 } });
      await up();
      await learned('203.0.113.0/24');
    },
    TIMEOUT_MS,
  );

  it(
    'shows an operator’s text on both sides, and BIRD’s reason for ending',
    async () => {
      await begin();
      await up();
      speaker.shutdownPeer(THEIRS.ipv4, 'back at noon');
      await until(
        'the text',
        () => bird.session(),
        (text) => text.includes('back at noon'),
      );
      expect(status()).toMatchObject({ state: 'idle' });
      speaker.enablePeer(THEIRS.ipv4);
      await up();
      await bird.command('disable isthmus "their turn"');
      await until(
        'the reason',
        () => status().lastError ?? '',
        (text) => text.includes('administrative shutdown (6/2) ("their turn")'),
      );
    },
    TIMEOUT_MS,
  );

  it(
    'refuses another AS number than the peer should have',
    async () => {
      await begin({}, { peer: { asn: 65099 } });
      await until(
        'the refusal',
        () => status().lastError ?? '',
        (text) => text.includes('AS 65099 was expected'),
      );
      await until(
        'BIRD’s view',
        () => bird.session(),
        (text) => text.includes('Bad peer AS'),
      );
    },
    TIMEOUT_MS,
  );

  it(
    'keeps BIRD’s routes while BIRD restarts, and drops those that do not come back',
    async () => {
      await begin({ lines: ['graceful restart on;'] }, { peer: { gracefulRestart: { restartTime: 60 } } });
      await up();
      await learned('203.0.113.0/24');
      await bird.end('SIGKILL');
      await until(
        'the loss',
        () => status().state,
        (state) => state !== 'established',
      );
      expect([...table.learned.values()].every(({ stale }) => stale)).toBe(true);
      expect(table.learned.size).toBe(4);
      bird.start({ lines: ['graceful restart on;'], without: 'six' });
      await up();
      await until(
        'the sweep',
        () => [...table.learned.keys()].sort().join(),
        (text) => text === '198.51.100.0/25,203.0.113.0/24',
      );
      expect(status().stale).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'leaves its routes at BIRD when it stops, and takes them along when it is removed',
    async () => {
      const settings = { peer: { gracefulRestart: { restartTime: 60 } } };
      await begin({ lines: ['graceful restart on;'] }, settings);
      await up();
      await birdHas('192.0.2.0/24');
      await speaker.stop();
      await until(
        'BIRD’s view',
        () => bird.session(),
        (text) => !text.includes('Established'),
      );
      await birdHas('192.0.2.0/24');
      speaker = ourSpeaker(link, table, { restarting: true });
      speaker.addPeer({ address: THEIRS.ipv4, asn: BIRD_AS, connectRetryMs: 500, ...settings.peer });
      await speaker.start();
      await up();
      await birdHas('192.0.2.0/24');
      await speaker.remove();
      await birdHas('192.0.2.0/24', false);
    },
    TIMEOUT_MS,
  );
});
