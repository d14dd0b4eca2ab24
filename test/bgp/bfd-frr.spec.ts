import type { BfdSessionConfig } from '@isthmus/bgp';
import { until } from './daemon-process.ts';
import { FrrBfd } from './frr-bfd.ts';
import { createLink, OURS, type TestLink, THEIRS } from './link.ts';
import { FAST, OurBfd, singleHop } from './our-bfd.ts';

/** Against hanging only. */
const TIMEOUT_MS = 60_000;
/** Detection time of 3 x 50 ms, and what a busy machine may take to let anybody hear of it. */
const DETECTION_MS = 150;
const SLACK_MS = 250;

const multihop = (minTtl: number): BfdSessionConfig => ({
  key: 'far',
  local: OURS.ipv6,
  remote: THEIRS.ipv6,
  multihop: true,
  minTtl,
  ...FAST,
});

describe('BFD with FRR', () => {
  let link: TestLink;
  let frr: FrrBfd;
  let ours: OurBfd;

  beforeAll(() => {
    link = createLink('bfdfrr');
  });
  afterAll(() => link.remove());
  beforeEach(async () => {
    frr = new FrrBfd(link.theirs);
    ours = new OurBfd(link.ours.replace(/.*\//, ''));
    await frr.start();
    await ours.start();
  }, TIMEOUT_MS);
  afterEach(async () => {
    await ours.stop();
    await frr.stop();
  }, TIMEOUT_MS);

  const frrSays = (address: string, ...right: (string | RegExp)[]): Promise<string> =>
    until(
      `FRR's session (${frr.log})`,
      () => frr.peer(address),
      (text) => right.every((part) => (typeof part === 'string' ? text.includes(part) : part.test(text))),
    );

  it(
    'comes up on a single hop and on a multihop session, at 50 ms x 3',
    async () => {
      ours.client.want([singleHop('ipv4'), multihop(255)]);
      for (const [key, address] of [
        ['ipv4', OURS.ipv4],
        ['far', OURS.ipv6],
      ] as const) {
        await ours.up(key);
        await frrSays(
          address,
          'Status: up',
          /Remote timers:\s+Detect-multiplier: 3\s+Receive interval: 50ms\s+Transmission interval: 50ms/,
        );
        await ours.fresh(key, ({ transmitMs, detectionMs, counters }) => {
          return transmitMs === 50 && detectionMs === DETECTION_MS && counters.received > 20;
        });
      }
      const since = performance.now();
      ours.client.want([singleHop('ipv4', { desiredMinTxMs: 70, multiplier: 5 }), multihop(254)]);
      await frrSays(
        OURS.ipv4,
        'Status: up',
        /Remote timers:\s+Detect-multiplier: 5\s+Receive interval: 50ms\s+Transmission interval: 70ms/,
      );
      await ours.fresh('ipv4', ({ transmitMs }) => transmitMs === 70);
      expect(ours.heard.filter(({ at, state }) => at > since && state !== 'up')).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'fails within the detection time when bfdd is killed',
    async () => {
      ours.client.want([singleHop('ipv4'), multihop(255)]);
      for (const key of ['ipv4', 'far']) {
        await ours.up(key);
        await ours.fresh(key, ({ detectionMs }) => detectionMs === DETECTION_MS);
      }
      const killed = performance.now();
      await frr.end('SIGKILL');
      for (const key of ['ipv4', 'far']) {
        const report = await ours.heardSince(killed, key, ({ state }) => state === 'down');
        expect(report).toMatchObject({ diagnostic: 'detection-time-expired', lost: true });
        expect(report.at - killed).toBeLessThan(DETECTION_MS + SLACK_MS);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'tells FRR that an end was wanted, and hears it from FRR',
    async () => {
      ours.client.want([singleHop('ipv4'), multihop(1)]);
      for (const key of ['ipv4', 'far']) await ours.up(key);
      await frr.shutDown(OURS.ipv4, true);
      const report = await ours.heardSince(0, 'ipv4', ({ remoteState }) => remoteState === 'admin-down');
      expect(report).toMatchObject({ state: 'down', diagnostic: 'neighbor-signaled-down', lost: false });
      await frr.shutDown(OURS.ipv4, false);
      await ours.up('ipv4');
      ours.client.want([multihop(1)]);
      await frrSays(OURS.ipv4, 'Status: down', 'Remote diagnostics: administratively down');
      await frrSays(OURS.ipv6, 'Status: up');
      await ours.end('SIGTERM');
      await frrSays(OURS.ipv6, 'Status: down', 'Remote diagnostics: administratively down');
    },
    TIMEOUT_MS,
  );
});
