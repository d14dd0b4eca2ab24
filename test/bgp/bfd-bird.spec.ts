import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { BirdBfd } from './bird-bfd.ts';
import { until } from './daemon-process.ts';
import { createLink, OURS, type TestLink } from './link.ts';
import { OurBfd, singleHop } from './our-bfd.ts';

/** Against hanging only. */
const TIMEOUT_MS = 60_000;
/** Detection time of 3 x 50 ms, and what a busy machine may take to let anybody hear of it. */
const DETECTION_MS = 150;
const SLACK_MS = 250;

/** When BIRD's session last changed, in milliseconds of the day. */
function lastChangeMs(row: string): number {
  const [, hours, minutes, seconds] = /(\d+):(\d+):(\d+\.\d+)/.exec(row)!.map(Number);
  return ((hours! * 60 + minutes!) * 60 + seconds!) * 1000;
}

describe('BFD with BIRD', () => {
  let link: TestLink;
  let bird: BirdBfd;
  let ours: OurBfd;

  beforeAll(() => {
    link = createLink('bfdbird');
    link.run('ip', 'address', 'add', 'fe80::a/64', 'dev', 'bgp0', 'nodad');
    link.runThere('ip', 'address', 'add', 'fe80::b/64', 'dev', 'bgp0', 'nodad');
  });
  afterAll(() => link.remove());
  beforeEach(async () => {
    bird = new BirdBfd(link.theirs);
    ours = new OurBfd(link.ours.replace(/.*\//, ''));
    bird.start();
    await ours.start();
  }, TIMEOUT_MS);
  afterEach(async () => {
    await ours.stop();
    await bird.stop();
  }, TIMEOUT_MS);

  const birdSays = (address: string, right: RegExp): Promise<string> =>
    until(
      `BIRD's session (${bird.log.slice(-500)})`,
      () => bird.session(address),
      (row) => right.test(row),
    );

  it(
    'comes up over both families and link-local addresses, at 50 ms x 3',
    async () => {
      const local = singleHop('ipv6', { key: 'link-local', local: 'fe80::a', remote: 'fe80::b' });
      ours.client.want([singleHop('ipv4'), singleHop('ipv6'), local]);
      for (const [key, address] of [
        ['ipv4', OURS.ipv4],
        ['ipv6', OURS.ipv6],
        ['link-local', 'fe80::a'],
      ] as const) {
        await ours.up(key);
        await birdSays(address, /Up .* 0\.050 +0\.150/);
        const report = await ours.fresh(key, ({ transmitMs, detectionMs, counters }) => {
          return transmitMs === 50 && detectionMs === DETECTION_MS && counters.received > 20;
        });
        expect(report!.counters).toMatchObject({ unsent: 0, dropped: {}, droppedByKernel: 0 });
      }
      expect(ours.client.status()).toMatchObject({ fifo: true, dropped: {} });
    },
    TIMEOUT_MS,
  );

  it(
    'takes other intervals from either side while it stays up',
    async () => {
      ours.client.want([singleHop('ipv4')]);
      await ours.up('ipv4');
      await birdSays(OURS.ipv4, /0\.050 +0\.150/);
      const since = performance.now();
      ours.client.want([singleHop('ipv4', { desiredMinTxMs: 100, requiredMinRxMs: 80 })]);
      await birdSays(OURS.ipv4, /Up .* 0\.080 +0\.300/);
      await ours.fresh('ipv4', ({ transmitMs, detectionMs }) => transmitMs === 100 && detectionMs === 240);
      await bird.reconfigure(200);
      await ours.fresh('ipv4', ({ transmitMs, detectionMs }) => transmitMs === 200 && detectionMs === 600);
      ours.client.want([singleHop('ipv4')]);
      await bird.reconfigure(50);
      await ours.fresh('ipv4', ({ transmitMs, detectionMs }) => transmitMs === 50 && detectionMs === DETECTION_MS);
      await birdSays(OURS.ipv4, /Up .* 0\.050 +0\.150/);
      expect(ours.heard.filter(({ at, state }) => at > since && state !== 'up')).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'fails within the detection time when BIRD is killed, and comes back with it',
    async () => {
      ours.client.want([singleHop('ipv4')]);
      await ours.up('ipv4');
      await birdSays(OURS.ipv4, /0\.150/);
      const killed = performance.now();
      await bird.end('SIGKILL');
      const report = await ours.heardSince(killed, 'ipv4', ({ state }) => state === 'down');
      expect(report).toMatchObject({ diagnostic: 'detection-time-expired', lost: true, remoteState: 'down' });
      expect(report.at - killed).toBeLessThan(DETECTION_MS + SLACK_MS);
      bird.start();
      await ours.up('ipv4');
      expect(ours.report('ipv4')!.lost).toBe(false);
    },
    TIMEOUT_MS,
  );

  it(
    'fails on both sides within the detection time when the link loses everything',
    async () => {
      ours.client.want([singleHop('ipv4'), singleHop('ipv6')]);
      for (const key of ['ipv4', 'ipv6'] as const) {
        await ours.up(key);
        await birdSays(OURS[key], /0\.150/);
      }
      link.cut(true);
      const cut = performance.now();
      for (const key of ['ipv4', 'ipv6']) {
        const report = await ours.heardSince(0, key, ({ lost }) => lost);
        expect(report.diagnostic).toBe('detection-time-expired');
        expect(report.at - cut).toBeLessThan(DETECTION_MS + SLACK_MS);
      }
      await birdSays(OURS.ipv4, /Down/);
      link.cut(false);
      for (const key of ['ipv4', 'ipv6']) await ours.up(key);
    },
    TIMEOUT_MS,
  );

  it(
    'stays up when its client is killed, and the next one finds it',
    async () => {
      ours.client.stop();
      const list = JSON.stringify({ type: 'sessions', sessions: [singleHop('ipv4')] });
      const code = `require('node:net').connect(process.argv[1]).write(process.argv[2] + '\\n'); setInterval(() => {}, 1000)`;
      const client = spawn(process.execPath, ['-e', code, ours.socket, list]);
      const row = await birdSays(OURS.ipv4, /Up .* 0\.050 +0\.150/);
      client.kill('SIGKILL');
      await once(client, 'exit');
      await ours.anotherClient();
      await ours.fresh('ipv4', ({ state, sinceMs }) => state === 'up' && sinceMs > 10 * DETECTION_MS);
      // BIRD shows the wall time of its last change; one more would lie later by the detection time at least.
      expect(Math.abs(lastChangeMs(await bird.session(OURS.ipv4)) - lastChangeMs(row))).toBeLessThan(DETECTION_MS);
      expect(ours.heard.map(({ state }) => state)).toEqual(['up']);
    },
    TIMEOUT_MS,
  );

  it(
    'tells BIRD when it is not wanted any more, and has set the C bit all along',
    async () => {
      ours.client.want([singleHop('ipv4'), singleHop('ipv6')]);
      for (const key of ['ipv4', 'ipv6'] as const) await ours.up(key);
      ours.client.want([singleHop('ipv6')]);
      await birdSays(OURS.ipv4, /Down/);
      await ours.end('SIGTERM');
      await birdSays(OURS.ipv6, /Down/);
      const received = (address: string): string[] =>
        [...bird.log.matchAll(/CTL received from (\S+) \[(\w+) (\w+)\]/g)].flatMap(([, from, state = '', flags = '']) =>
          from === address ? [`${state} ${flags.includes('C')}`] : [],
        );
      for (const address of Object.values(OURS)) {
        expect(received(address).at(-1)).toBe('AdminDown true');
        expect(received(address).filter((one) => one.endsWith('false'))).toEqual([]);
      }
      expect(ours.connections.at(-1)).toBe(false);
    },
    TIMEOUT_MS,
  );
});
