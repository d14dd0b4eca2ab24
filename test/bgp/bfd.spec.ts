import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { BfdReport, BfdSessionConfig } from '@isthmus/bgp';
import { until } from './daemon-process.ts';
import { createLink, OURS, type TestLink, THEIRS } from './link.ts';
import { FAST, OurBfd, singleHop } from './our-bfd.ts';

/** Against hanging only. */
const TIMEOUT_MS = 60_000;
/** Exit status of a process that cannot run as it is configured. */
const EXIT_CONFIG = 78;
const STRANGER = '10.99.0.3';

const [SINGLE_HOP, MULTIHOP] = [3784, 4784];

/** Ports of our end from which there is a socket to a port of the other end. */
function sourcePorts(link: TestLink, remotePort: number): number[] {
  const remote = remotePort.toString(16).toUpperCase().padStart(4, '0');
  const rows = link.run('cat', '/proc/net/udp', '/proc/net/udp6').matchAll(/: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) /g);
  return [...rows].flatMap(([, from = '', to]) => (to === remote ? [Number.parseInt(from, 16)] : []));
}

/** What the other end wants of the same session. */
const mirrored = (config: BfdSessionConfig): BfdSessionConfig => ({ ...config, local: config.remote, remote: config.local });
const far = (minTtl: number): BfdSessionConfig => ({
  key: 'far',
  local: OURS.ipv4,
  remote: THEIRS.ipv4,
  multihop: true,
  minTtl,
  ...FAST,
});

describe('BFD with itself', () => {
  let link: TestLink;
  let ours: OurBfd;
  let theirs: OurBfd;

  beforeAll(() => {
    link = createLink('bfd');
    link.runThere('ip', 'address', 'add', `${STRANGER}/24`, 'dev', 'bgp0');
  });
  afterAll(() => link.remove());
  beforeEach(async () => {
    ours = new OurBfd(basename(link.ours));
    theirs = new OurBfd(link.theirs);
    await Promise.all([ours.start(), theirs.start()]);
  }, TIMEOUT_MS);
  afterEach(async () => {
    await ours.stop();
    await theirs.stop();
  }, TIMEOUT_MS);

  async function up(...configs: BfdSessionConfig[]): Promise<void> {
    ours.client.want(configs);
    theirs.client.want(configs.map(mirrored));
    for (const { key } of configs) await Promise.all([ours.up(key), theirs.up(key)]);
  }

  /** A packet that says AdminDown in the name of the peer, which the peer did not send. */
  function forge(key: string, { ttl, from = THEIRS.ipv4, port = 3784 }: { ttl: number; from?: string; port?: number }): void {
    const { localDiscriminator, remoteDiscriminator } = ours.report(key) as BfdReport;
    const bytes = Buffer.alloc(24);
    bytes.set([0x27, 0x00, 3, 24]);
    bytes.writeUInt32BE(remoteDiscriminator, 4);
    bytes.writeUInt32BE(localDiscriminator, 8);
    bytes.writeUInt32BE(1_000_000, 12);
    bytes.writeUInt32BE(50_000, 16);
    const code = `
      const [hex, ttl, from, port] = process.argv.slice(1);
      const socket = require('node:dgram').createSocket('udp4');
      socket.bind({ address: from }, () => {
        socket.setTTL(Number(ttl));
        socket.send(Buffer.from(hex, 'hex'), Number(port), '${OURS.ipv4}', () => socket.close());
      });`;
    const words = [process.execPath, '-e', code, bytes.toString('hex'), String(ttl), from, String(port)];
    execFileSync('ip', ['netns', 'exec', link.theirs, ...words]);
  }

  it(
    'comes up over both families, and each sees that the other stands for itself',
    async () => {
      await up(singleHop('ipv4'), singleHop('ipv6'), far(255));
      for (const key of ['ipv4', 'ipv6', 'far']) {
        const report = await ours.fresh(key, ({ detectionMs, transmitMs }) => detectionMs === 150 && transmitMs === 50);
        expect(report).toMatchObject({ remoteIndependent: true, lost: false, counters: { dropped: {}, unsent: 0 } });
      }
      const ports = [...sourcePorts(link, SINGLE_HOP), ...sourcePorts(link, MULTIHOP)];
      expect([ports.length, new Set(ports).size]).toEqual([3, 3]);
      for (const port of ports) expect(port).toBeGreaterThanOrEqual(49_152);
      const numbers = [...ours.client.reports().values()].map(({ localDiscriminator }) => localDiscriminator);
      expect(new Set(numbers).size).toBe(3);
    },
    TIMEOUT_MS,
  );

  it(
    'believes nobody who is not a neighbour, and no other neighbour',
    async () => {
      await up(singleHop('ipv4'));
      forge('ipv4', { ttl: 254 });
      await ours.fresh('ipv4', ({ counters }) => counters.droppedByKernel === 1);
      forge('ipv4', { ttl: 255, from: STRANGER });
      await ours.fresh('ipv4', ({ counters }) => counters.dropped.path === 1);
      expect(ours.heard.filter(({ remoteState }) => remoteState === 'admin-down')).toEqual([]);
      forge('ipv4', { ttl: 255 }); // That it was well made is seen when it comes from the neighbour.
      await ours.heardSince(0, 'ipv4', ({ remoteState }) => remoteState === 'admin-down');
    },
    TIMEOUT_MS,
  );

  it(
    'takes packets over several hops down to the least TTL, from the peer alone',
    async () => {
      await up(far(250));
      forge('far', { ttl: 249, port: 4784 });
      forge('far', { ttl: 255, port: 4784, from: STRANGER });
      await ours.fresh('far', ({ counters }) => counters.droppedByKernel === 2);
      ours.client.want([far(251)]);
      forge('far', { ttl: 250, port: 4784 });
      await ours.fresh('far', ({ counters }) => counters.droppedByKernel === 3);
      expect(ours.heard.filter(({ remoteState }) => remoteState === 'admin-down')).toEqual([]);
      forge('far', { ttl: 251, port: 4784 });
      await ours.heardSince(0, 'far', ({ remoteState }) => remoteState === 'admin-down');
    },
    TIMEOUT_MS,
  );

  it(
    'does not take its own absence for silence of the peer',
    async () => {
      const config = singleHop('ipv4');
      ours.client.want([{ ...config, multiplier: 100 }]); // So patient is the peer.
      theirs.client.want([mirrored(config)]);
      await Promise.all([ours.up('ipv4'), theirs.up('ipv4')]);
      await ours.fresh('ipv4', ({ detectionMs }) => detectionMs === 150);
      for (let round = 0; round < 5; round++) {
        const before = (await theirs.fresh('ipv4', () => true))!.counters.sent;
        ours.pause(true);
        await theirs.fresh('ipv4', ({ counters }) => counters.sent > before + 8); // Twice the detection time.
        ours.pause(false);
        const seen = ours.report('ipv4')!.counters.received;
        await ours.fresh('ipv4', ({ counters }) => counters.received > seen + 12);
      }
      expect(ours.heard.filter(({ state }) => state === 'down')).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'refuses a second process on the same socket, which only root may open',
    async () => {
      await up(singleHop('ipv4'));
      expect(statSync(ours.socket).mode & 0o777).toBe(0o600);
      const second = new OurBfd(basename(link.ours), ours.socket);
      second.run();
      expect(await second.ended()).toBe(EXIT_CONFIG);
      expect(second.log).toContain('BFD_SOCKET_TAKEN');
      await second.stop();
      await ours.fresh('ipv4', ({ state }) => state === 'up');
    },
    TIMEOUT_MS,
  );

  it(
    'begins anew when the process was killed: the client says again what it wants, and nothing of the old is taken for a failure',
    async () => {
      await up(singleHop('ipv4'));
      const killed = performance.now();
      await ours.end('SIGKILL');
      await theirs.heardSince(killed, 'ipv4', ({ lost }) => lost);
      expect(ours.report('ipv4')!.state).toBe('up'); // What was known last.
      ours.run();
      await until(
        'the reconnection',
        () => ours.connections.join(),
        (all) => all.endsWith('true,false,true'),
      );
      await Promise.all([ours.up('ipv4'), theirs.up('ipv4')]);
      expect(ours.heard.filter(({ lost }) => lost)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'comes up again on an interface that went and came again, and on an address that came late',
    async () => {
      await up(singleHop('ipv4'));
      link.run('ip', 'link', 'del', 'bgp0');
      await ours.heardSince(0, 'ipv4', ({ lost }) => lost);
      await ours.fresh('ipv4', ({ error }) => error?.includes('bgp0') === true);
      link.reconnect();
      await Promise.all([ours.up('ipv4'), theirs.up('ipv4')]);
      const late = singleHop('ipv4', { key: 'late', local: '10.99.0.7', remote: '10.99.0.8' });
      ours.client.want([singleHop('ipv4'), late]);
      theirs.client.want([singleHop('ipv4'), late].map(mirrored));
      await ours.fresh('late', ({ error }) => error?.includes('10.99.0.7') === true);
      link.run('ip', 'address', 'add', '10.99.0.7/24', 'dev', 'bgp0');
      link.runThere('ip', 'address', 'add', '10.99.0.8/24', 'dev', 'bgp0');
      await Promise.all([ours.up('late'), theirs.up('late')]);
    },
    TIMEOUT_MS,
  );

  it(
    'makes no session of what cannot be one, and keeps the others',
    async () => {
      await up(singleHop('ipv4'));
      const before = ours.report('ipv4')!.localDiscriminator;
      ours.client.want([{ ...singleHop('ipv4'), multiplier: 0 }, singleHop('ipv6')]);
      await until(
        'the refusal',
        () => ours.refused.join(),
        (all) => all.includes('multiplier is 0'),
      );
      theirs.client.want([singleHop('ipv4'), singleHop('ipv6')].map(mirrored));
      await ours.up('ipv6');
      expect(ours.report('ipv4')).toMatchObject({ state: 'up', localDiscriminator: before });
    },
    TIMEOUT_MS,
  );
});
