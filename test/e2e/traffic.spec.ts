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
    server.child.kill();
    await server.ended;
    execFileSync('ip', ['netns', 'delete', NETNS]);
  });

  const flow = async (disturb: () => Promise<void>): Promise<Record<string, unknown>> => {
    const running = start('flow', '--pps', '1000', TARGET);
    await waitUntil(() => running.out().includes('flowing'), { what: 'the flow', timeoutMs: 5_000 });
    await disturb();
    running.child.stdin?.end();
    await running.ended;
    return JSON.parse(running.out().trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>;
  };
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

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
