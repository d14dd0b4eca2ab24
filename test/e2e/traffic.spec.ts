import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { waitUntil } from '@isthmus/lab';

const NETNS = 'isthmus-traffic';
const PROGRAM = '.toolchain/lab/isthmus-traffic';
const TARGET = 'UDP/127.0.0.1:8080';

function inside(...argv: string[]): string {
  return execFileSync('nsenter', [`--net=/run/netns/${NETNS}`, ...argv], { encoding: 'utf8' });
}

function start(...args: string[]): { child: ChildProcess; out(): string; ended: Promise<void> } {
  const child = spawn('nsenter', [`--net=/run/netns/${NETNS}`, PROGRAM, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  let out = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  return { child, out: () => out, ended: new Promise((resolve) => child.once('close', () => resolve())) };
}

/** A server of flows that says of each tenth packet something else than the truth. */
const LIAR = `
  const server = require('node:dgram').createSocket('udp4');
  server.on('message', (packet, from) => {
    const send = (bytes) => server.send(bytes, from.port, from.address);
    const kind = Number(packet.readBigUInt64LE(16) % 10n);
    packet.write('liar', 24 + 72);
    if (kind === 1) send(packet);
    if (kind === 2) packet.writeBigUInt64LE(7n, 8);
    if (kind === 4) setTimeout(() => send(packet), 20);
    else if (kind !== 3) send(packet);
  });
  server.bind(8081, '127.0.0.1', () => console.log('listening'));
`;

/** The program judges everything else: it must see what is lost, and nothing that is not. */
describe('the traffic program', () => {
  let server: ReturnType<typeof start>;

  beforeAll(async () => {
    execFileSync('ip', ['netns', 'add', NETNS]);
    inside('ip', 'link', 'set', 'lo', 'up');
    server = start('echo', '--name', 'here');
    await waitUntil(() => server.out().includes('serving'), { what: 'the server', timeoutMs: 5_000 });
  });

  afterAll(async () => {
    server.child.kill('SIGKILL'); // a stopped one would not hear anything else
    await server.ended;
    execFileSync('ip', ['netns', 'delete', NETNS]);
  });

  const last = (program: ReturnType<typeof start>): Record<string, unknown> => JSON.parse(program.out().trim().split('\n').at(-1) ?? '{}');
  /** A flow that gets no answer of its own has no first one to wait for. */
  const flow = async (disturb: () => Promise<void>, options: string[] = [], first = 'flowing'): Promise<Record<string, unknown>> => {
    const running = start('flow', '--pps', '1000', ...options, TARGET);
    try {
      await waitUntil(() => running.out().includes(first), { what: 'the flow', timeoutMs: 5_000 });
      await disturb();
      running.child.stdin?.end();
      await running.ended;
    } finally {
      running.child.kill();
    }
    return last(running);
  };
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  const counted = (): { strays: number; lastStray: string; queueDrops: number } => JSON.parse(inside(PROGRAM, 'count', TARGET));

  /** What the sockets in the namespace had no room for, whoever may be stopped. */
  const dropsInKernel = (): number => {
    const lines = inside('cat', '/proc/net/udp', '/proc/net/udp6').trim().split('\n');
    return lines.reduce((sum, line) => sum + (Number(line.trim().split(/\s+/).at(-1)) || 0), 0);
  };

  it('loses nothing where nothing is lost', async () => {
    const report = await flow(() => wait(300));
    expect(report).toMatchObject({ lost: 0, duplicates: 0, errors: 0, lostRanges: [] });
    expect(report['sent']).toBeGreaterThan(250);
  });

  it('sees the packets that a dead device has eaten, and which', async () => {
    const report = await flow(async () => {
      await wait(100);
      inside('ip', 'link', 'set', 'lo', 'down');
      await wait(50);
      inside('ip', 'link', 'set', 'lo', 'up');
      await wait(200);
    });
    const { sent, answered, lost, lostRanges } = report as { sent: number; answered: number; lost: number; lostRanges: [number, number][] };
    expect(lost).toBeGreaterThan(10);
    expect(sent - answered).toBe(lost);
    expect(lostRanges.reduce((sum, [first, last]) => sum + last - first + 1, 0)).toBe(lost);
  });

  it('knows answers of a place that they were not meant for, and so does that place', async () => {
    const before = counted();
    const report = await flow(() => wait(300), ['--place', 'there', '--id', 'abc'], '');
    expect(report['misdelivered']).toBe(report['sent']);
    expect(report).toMatchObject({ id: '0000000000000abc', answered: 0, lastStray: 'answer of flow 0000000000000abc from here' });
    const after = counted();
    expect(after.strays - before.strays).toBe(report['sent']);
    expect(after.lastStray).toBe('flow 0000000000000abc for there');
    const meant = await flow(() => wait(100), ['--place', 'here', '--place', 'there']);
    expect(meant).toMatchObject({ misdelivered: 0, lost: 0 });
    expect(counted().strays).toBe(after.strays);
  });

  it('counts what came twice, out of order, from another flow, or not at all', async () => {
    const liar = spawn('nsenter', [`--net=/run/netns/${NETNS}`, 'scripts/with-node', '-e', LIAR], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => liar.once('close', resolve));
    try {
      await new Promise((resolve) => liar.stdout.once('data', resolve));
      const running = start('flow', '--pps', '1000', '--place', 'liar', 'UDP/127.0.0.1:8081');
      await waitUntil(() => running.out().includes('flowing'), { what: 'the flow', timeoutMs: 5_000 });
      await wait(300);
      running.child.stdin?.end();
      await running.ended;
      const report = last(running) as Record<string, number>;
      const times = (n: number): number => Math.floor(((report['sent'] ?? 0) - 1 - n) / 10) + 1;
      expect(report).toMatchObject({ duplicates: times(1), misdelivered: times(2), lost: times(2) + times(3), reordered: times(4) });
    } finally {
      liar.kill();
      await ended;
    }
  });

  it('tells what a busy machine dropped from what was lost', async () => {
    const before = counted();
    const report = await flow(async () => {
      server.child.kill('SIGSTOP');
      await waitUntil(() => dropsInKernel() > 0, { what: "the server's socket to be full", timeoutMs: 20_000 });
      server.child.kill('SIGCONT');
      await wait(200);
    }, ['--pps', '100000']);
    const dropped = counted().queueDrops - before.queueDrops + (report['queueDrops'] as number);
    expect(report['lost']).toBeGreaterThan(0);
    expect(dropped).toBe(report['lost']);
  });

  it('tells an answer from a refusal and from silence', () => {
    const lines = inside(PROGRAM, 'ask', '--connected', '--timeout-ms', '200', TARGET, 'TCP/127.0.0.1:9', 'UDP/[::1]:9');
    const answers = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(answers).toMatchObject([
      { ok: true, server: 'here', from: '127.0.0.1:8080' },
      { ok: false, error: 'ECONNREFUSED' },
      { ok: false, error: 'ECONNREFUSED' },
    ]);
  });

  it('gets a bulk through whole, and says so', () => {
    expect(JSON.parse(inside(PROGRAM, 'bulk', '--bytes', '65536', 'TCP/127.0.0.1:8080'))).toMatchObject({ ok: true, bytes: 65536 });
  });
});
