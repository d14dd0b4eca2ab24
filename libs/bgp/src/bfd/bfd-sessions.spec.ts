import { ManualClock, seededRandom } from '@isthmus/core';
import type { BfdReport } from './bfd-report.ts';
import { BfdSessions } from './bfd-sessions.ts';
import { type BfdPath, type BfdSessionConfig, readSessionConfig } from './bfd-settings.ts';
import type { BfdChannelOptions, BfdReceiver, BfdTransport } from './bfd-transport.ts';
import { type ControlPacket, decodeControlPacket, encodeControlPacket, PACKET_LENGTH } from './control-packet.ts';

const config = (key: string, more: Partial<BfdSessionConfig> = {}): BfdSessionConfig => ({
  key,
  local: '10.0.0.1',
  remote: '10.0.0.2',
  multihop: false,
  desiredMinTxMs: 50,
  requiredMinRxMs: 50,
  multiplier: 3,
  ...more,
});

interface Opened extends BfdChannelOptions {
  minTtl: number;
  closed: boolean;
  usable: boolean;
  readonly sent: ControlPacket[];
}

function rig(random = seededRandom(1)) {
  const clock = new ManualClock();
  const channels: Opened[] = [];
  const reports: BfdReport[] = [];
  const failing = { why: '' };
  let receive: BfdReceiver = () => {};
  const transport: BfdTransport = {
    receiver: (to) => (receive = to),
    settle: (then) => then(),
    open: (options) => {
      if (failing.why !== '') throw new Error(failing.why);
      const opened: Opened = { ...options, closed: false, usable: true, sent: [] };
      channels.push(opened);
      return {
        send: (bytes) => opened.sent.push(decodeControlPacket(bytes)!) > 0,
        setMinTtl: (ttl) => (opened.minTtl = ttl),
        usable: () => opened.usable,
        dropped: () => 5,
        close: () => (opened.closed = true),
      };
    },
  };
  const sessions = new BfdSessions({ clock, random, transport, onState: (report) => reports.push(report) });
  const arrive = (packet: Partial<ControlPacket>, path: Partial<BfdPath> = {}): void => {
    const bytes = new Uint8Array(PACKET_LENGTH);
    const whole = { diagnostic: 0, poll: false, final: false, independent: true, multiplier: 3, desiredMinTx: 50_000 };
    encodeControlPacket(
      { ...whole, requiredMinRx: 50_000, state: 'down', myDiscriminator: 9, yourDiscriminator: 0, ...packet } as ControlPacket,
      bytes,
    );
    receive(bytes, { local: '10.0.0.1', remote: '10.0.0.2', multihop: false, ...path });
  };
  const report = (key: string): BfdReport => sessions.reports().find((one) => one.key === key)!;
  return { clock, sessions, channels, reports, report, arrive, failing, raw: (bytes: Uint8Array, path: BfdPath) => receive(bytes, path) };
}

describe('finding the session of a packet', () => {
  it('goes by Your Discriminator when there is one', () => {
    const { sessions, arrive, report } = rig();
    sessions.set([config('a'), config('b', { remote: '10.0.0.3' })]);
    arrive({ state: 'init', yourDiscriminator: report('b').localDiscriminator }, { remote: '10.0.0.3' });
    expect([report('a').state, report('b').state]).toEqual(['down', 'up']);
    expect(report('b')).toMatchObject({ remoteDiscriminator: 9, remoteIndependent: true, counters: { received: 1 } });
  });

  it('goes by source, interface and hops when there is none', () => {
    const { sessions, arrive, report } = rig();
    sessions.set([
      config('direct', { interface: 'eth0' }),
      config('other', { interface: 'eth1' }),
      config('far', { multihop: true, minTtl: 250 }),
    ]);
    arrive({}, { interface: 'eth1' });
    expect(sessions.reports().map(({ key, state }) => `${key} ${state}`)).toEqual(['direct down', 'other init', 'far down']);
    arrive({}, { multihop: true });
    expect(report('far').state).toBe('init');
    arrive({}, { interface: 'eth2' });
    expect(sessions.dropped).toEqual({ 'no-session': 1 });
  });

  it.each<[string, Partial<BfdPath>]>([
    ['from another address', { remote: '10.0.0.9' }],
    ['over another interface', { interface: 'eth1' }],
    ['to the multihop port', { multihop: true }],
  ])('believes no right discriminator that came %s', (_, path) => {
    const { sessions, arrive, report } = rig();
    sessions.set([config('a')]);
    arrive({ state: 'init', yourDiscriminator: report('a').localDiscriminator }, path);
    expect(report('a')).toMatchObject({ state: 'down', counters: { received: 0, dropped: { path: 1 } } });
  });

  it('counts what is no packet, with its session when the sender has one', () => {
    const { sessions, raw, report } = rig();
    sessions.set([config('a')]);
    raw(Uint8Array.of(0x60), { local: '10.0.0.1', remote: '10.0.0.2', multihop: false });
    raw(Uint8Array.of(0x20), { local: '10.0.0.1', remote: '10.0.0.5', multihop: false });
    expect(report('a').counters.dropped).toEqual({ version: 1 });
    expect(sessions.dropped).toEqual({ truncated: 1 });
  });

  it('knows no discriminator that is not its own', () => {
    const { sessions, arrive } = rig();
    sessions.set([config('a')]);
    arrive({ state: 'up', yourDiscriminator: 1234 });
    expect(sessions.dropped).toEqual({ 'no-session': 1 });
  });
});

describe('the list', () => {
  it('gives discriminators that are not zero and nobody else has', () => {
    const values = [0, 0.5, 0.5, 0.25];
    const { sessions } = rig(() => values.shift() ?? 0.9);
    sessions.set([config('a'), config('b', { remote: '10.0.0.3' })]);
    const numbers = sessions.reports().map(({ localDiscriminator }) => localDiscriminator);
    expect(new Set(numbers).size).toBe(2);
    expect(numbers).not.toContain(0);
  });

  it('leaves alone what is wanted again', () => {
    const { sessions, channels, report } = rig();
    sessions.set([config('a')]);
    const before = report('a').localDiscriminator;
    sessions.set([config('a'), config('b', { remote: '10.0.0.3' })]);
    expect(report('a').localDiscriminator).toBe(before);
    expect(channels.map(({ closed }) => closed)).toEqual([false, false]);
    expect(channels[0]!.sent).toHaveLength(1);
  });

  it('changes intervals and least TTL in place', () => {
    const { sessions, channels, report, arrive } = rig();
    const far = config('a', { multihop: true, minTtl: 250 });
    sessions.set([far]);
    arrive({ state: 'init' as const, yourDiscriminator: report('a').localDiscriminator }, { multihop: true });
    arrive({ state: 'up', final: true, yourDiscriminator: report('a').localDiscriminator }, { multihop: true });
    sessions.set([{ ...far, minTtl: 240, desiredMinTxMs: 20 }]);
    expect(channels).toHaveLength(1);
    expect(channels[0]!.minTtl).toBe(240);
    expect(channels[0]!.sent.at(-1)).toMatchObject({ poll: true, desiredMinTx: 20_000 });
  });

  it('says AdminDown to peers of sessions that are not wanted any more, and tells nobody else', () => {
    const { clock, sessions, channels, arrive, report, reports } = rig();
    sessions.set([config('a')]);
    arrive({ state: 'init', yourDiscriminator: report('a').localDiscriminator });
    reports.length = 0;
    sessions.set([]);
    clock.advance(1000);
    expect(channels[0]!.closed).toBe(true);
    expect(channels[0]!.sent.at(-1)).toMatchObject({ state: 'admin-down', diagnostic: 7 });
    expect([sessions.reports(), reports]).toEqual([[], []]);
  });

  it('makes a new session for another way under the same name', () => {
    const { clock, sessions, channels } = rig();
    sessions.set([config('a')]);
    sessions.set([config('a', { interface: 'eth0' })]);
    clock.advance(600);
    expect(channels.map(({ interface: device, closed }) => [device, closed])).toEqual([
      [undefined, true],
      ['eth0', false],
    ]);
  });

  it('takes one of two that go the same way', () => {
    const { sessions } = rig();
    expect(sessions.set([config('a'), config('b')])).toEqual(['b']);
    expect(sessions.reports().map(({ key }) => key)).toEqual(['a']);
  });

  it('has told all peers when it has stopped', async () => {
    const { clock, sessions, channels, arrive, report } = rig();
    sessions.set([config('a')]);
    arrive({ state: 'init', yourDiscriminator: report('a').localDiscriminator });
    const stopped = sessions.stop();
    clock.advance(100);
    await stopped;
    expect(channels[0]!.sent.filter(({ state }) => state === 'admin-down')).toHaveLength(3);
    expect(channels[0]!.closed).toBe(true);
  });
});

describe('channels', () => {
  it('are tried again until there is one, and the report says why there is none', () => {
    const { clock, sessions, channels, report, failing } = rig();
    failing.why = 'no address yet';
    sessions.set([config('a')]);
    expect(report('a')).toMatchObject({ error: 'no address yet', counters: { unsent: 1 } });
    failing.why = '';
    clock.advance(2000);
    expect(report('a').error).toBeUndefined();
    expect(channels[0]!.sent.length).toBeGreaterThan(0);
    expect(channels[0]!.minTtl).toBe(255);
  });

  it('are opened anew when their interface is another one', () => {
    const { clock, sessions, channels } = rig();
    sessions.set([config('a', { interface: 'eth0' })]);
    channels[0]!.usable = false;
    clock.advance(1000);
    expect(channels.map(({ closed }) => closed)).toEqual([true, false]);
  });
});

describe('what is wanted', () => {
  it('comes out canonical', () => {
    const { key, ...rest } = config('a', { local: 'FE80::0:1', remote: 'fe80::2', interface: 'eth0' });
    expect(readSessionConfig({ key, ...rest })).toEqual({ key, ...rest, local: 'fe80::1' });
    expect(readSessionConfig(config('m', { multihop: true })).minTtl).toBe(1);
  });

  it.each<[string, unknown]>([
    ['no key', { ...config('a'), key: undefined }],
    ['is no IP address', config('a', { remote: '10.0.0' })],
    ['is no IP address', config('a', { remote: 'fe80::1%eth0' })],
    ['different families', config('a', { remote: 'fd00::1' })],
    ['needs an interface', config('a', { local: 'fe80::1', remote: 'fe80::2' })],
    ['is no interface', config('a', { interface: '0123456789abcdef' })],
    ['has no interface', config('a', { multihop: true, interface: 'eth0' })],
    ['has no minTtl', config('a', { minTtl: 254 })],
    ['minTtl is 0', config('a', { multihop: true, minTtl: 0 })],
    ['multiplier is 256', config('a', { multiplier: 256 })],
    ['multiplier is 1.5', config('a', { multiplier: 1.5 })],
    ['desiredMinTxMs is 0', config('a', { desiredMinTxMs: 0 })],
    ['requiredMinRxMs is "50"', { ...config('a'), requiredMinRxMs: '50' }],
    ['no key', null],
  ])('is refused when it %s', (why, value) => {
    expect(() => readSessionConfig(value)).toThrow(why);
  });
});
