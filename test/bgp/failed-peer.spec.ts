import { type BgpSpeaker, type PeerRouting, Rib } from '@isthmus/bgp';
import { systemClock } from '@isthmus/core';
import { BIRD_AS, Bird } from './bird.ts';
import { until } from './daemon-process.ts';
import { Frr } from './frr.ts';
import { createLink, OUR_AS, type TestLink, THEIRS } from './link.ts';
import { ourSpeaker } from './our-speaker.ts';
import { OwnProcess } from './own-process.ts';
import type { SpeakerProcessOptions } from './speaker-process.ts';

/** Against hanging only. */
const TIMEOUT_MS = 60_000;

const PREFIX = '192.0.2.0/24';
const RESTART = { gracefulRestart: { restartTime: 60 } };

/** How a daemon is met that keeps routes over restarts, and what it says. */
const DAEMONS = {
  FRR: (netns: string) => {
    const frr = new Frr(netns);
    return {
      daemon: frr,
      asn: frr.asn,
      start: () => frr.start({ lines: ['bgp graceful-restart'], neighbour: ['passive'] }),
      has: /Community|best/,
      lacks: 'not in table',
      kept: /stale/,
      reason: /Notification received \(Cease\/BFD Down\/Hard Reset\)/, // both have the N bit, RFC 8538
    };
  },
  BIRD: (netns: string) => {
    const bird = new Bird(netns);
    return {
      daemon: bird,
      asn: BIRD_AS,
      start: () => bird.start({ lines: ['graceful restart on; passive;'] }),
      has: /BGP\.origin/,
      lacks: 'not found',
      kept: /Neighbor graceful restart active/,
      reason: /Received: .*6\.10/,
    };
  },
};

describe.each(['FRR', 'BIRD'] as const)('a peer that kept routes: %s', (name) => {
  let link: TestLink;
  let there: ReturnType<(typeof DAEMONS)[typeof name]>;

  beforeAll(() => {
    link = createLink(`failed${name}`);
  });
  afterAll(() => link.remove());
  beforeEach(() => {
    there = DAEMONS[name](link.theirs);
    there.start();
  });
  afterEach(() => there.daemon.stop());

  const route = (what: string, right: (text: string) => boolean): Promise<string> =>
    until(`${what} (${there.daemon.log})`, () => there.daemon.route(PREFIX), right);
  const peer = (): { address: string; asn: number; connectRetryMs: number } => ({
    address: THEIRS.ipv4,
    asn: there.asn,
    connectRetryMs: 500,
    ...RESTART,
  });

  it(
    'drops them at once when BFD has failed the session, and says why',
    async () => {
      const rib = new Rib({ asn: OUR_AS, routerId: '10.99.0.1', clock: systemClock, later: setImmediate });
      rib.originate({ prefix: PREFIX });
      const speaker: BgpSpeaker<PeerRouting> = ourSpeaker(link, rib);
      try {
        speaker.addPeer(peer());
        await speaker.start();
        await route('the route', (text) => there.has.test(text));
        speaker.failPeer(THEIRS.ipv4, 'BFD says so');
        speaker.shutdownPeer(THEIRS.ipv4); // it would be there again before anybody has looked
        await until(
          'the end of the session',
          () => there.daemon.session(),
          (text) => there.reason.test(text),
        );
        // FRR says so first, and then takes its routes away: not after the minute of a restart.
        await route('the end of the route', (text) => text.includes(there.lacks));
      } finally {
        await speaker.stop();
      }
    },
    TIMEOUT_MS,
  );

  it(
    'keeps them when the process of the speaker is killed',
    async () => {
      const ours = new OwnProcess<SpeakerProcessOptions>(link.ours, 'speaker-process.ts');
      try {
        ours.start({ peer: peer(), prefixes: [PREFIX] });
        await route(`the route (${ours.log})`, (text) => there.has.test(text));
        await ours.end('SIGKILL');
        await until(
          'the end of the session',
          () => there.daemon.session(),
          (text) => !/state\W+Established/.test(text),
        );
        const kept = await there.daemon.route(PREFIX);
        expect(kept).toMatch(there.has);
        expect(kept + (await there.daemon.session())).toMatch(there.kept);
      } finally {
        await ours.stop();
      }
    },
    TIMEOUT_MS,
  );
});
