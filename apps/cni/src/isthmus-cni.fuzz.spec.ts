import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { canCompile, compileShim, runShim, type ShimResult } from './run-shim.ts';

const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const canRun = canCompile(...SANITIZERS);
if (!canRun) console.warn('isthmus-cni.fuzz.spec: skipped, no gcc with sanitizers is installed (install the packages gcc and libasan8)');

const MINUTE_MS = 60_000;
/** Each run starts the program once. */
const RUNS = process.env['ISTHMUS_TEST_ALL'] ? 2_000 : 80;
const VERSIONS = ['0.3.1', '0.4.0', '1.0.0', '1.1.0'];
/** Numbers of the specification that the shim uses itself, and ours. */
const NUMBERS = [1, 4, 5, 6, 7, 11, 50, 100];
const COMMANDS = ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION'];
const CONFIG = {
  cniVersion: '1.1.0',
  name: 'isthmus',
  type: 'isthmus-cni',
  prevResult: { ips: [{ address: '10.1.0.5/32' }] },
  a: [1.5e3, null, true],
};
const GOOD_ANSWER = 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}';

let dir: string;
let program: string;
let server: Server;
/** What the agent got, and what it says to that. */
let requests: string[] = [];
let answer: Buffer;

/** Whatever is said on the socket is the agent's answer: not even HTTP is certain. */
function startAgent(socket: string): Promise<void> {
  server = createServer({ allowHalfOpen: true }, (connection) => {
    let request = '';
    connection.on('error', () => {}); // the shim may be gone
    connection.setEncoding('utf8').on('data', (text: string) => {
      request += text;
      const [head = '', ...body] = request.split('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
      if (Buffer.byteLength(body.join('\r\n\r\n')) < length) return;
      requests.push(body.join('\r\n\r\n'));
      connection.end(answer);
    });
  });
  return new Promise((resolve) => server.listen(socket, resolve));
}

const run = (env: Record<string, string>, stdin: string | Buffer): Promise<ShimResult> =>
  runShim(program, { ISTHMUS_SOCK: join(dir, 'agent.sock'), ASAN_OPTIONS: 'detect_leaks=0', ...env }, stdin);

/** It ended by itself, no sanitizer had anything to say, and what it printed is an error of CNI where it failed. */
function expectSound({ status, out, err }: ShimResult): void {
  expect([err, status]).toEqual(['', status === 0 ? 0 : 1]);
  if (status === 0) return;
  const error = JSON.parse(out) as Record<string, unknown>;
  expect(error).toMatchObject({ code: expect.any(Number), msg: expect.stringMatching(/^[A-Z_]+: ./), details: expect.stringMatching(/./) });
  expect(VERSIONS).toContain(error['cniVersion']);
  expect(NUMBERS).toContain(error['code']);
}

/** A text with some of its characters taken out, doubled or replaced. */
function mutated(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', '\\u00', '-', '0', '1e', '.', '\n', '\0', 'null'),
    fc.string(),
  );
  const change = fc.tuple(fc.nat(), fc.nat(3), piece);
  return fc.tuple(text, fc.array(change, { maxLength: 4 })).map(([start, changes]) =>
    changes.reduce((current, [at, cut, put]) => {
      const where = at % (current.length + 1);
      return current.slice(0, where) + put + current.slice(where + cut);
    }, start),
  );
}

const someJson = fc.oneof(
  fc.constant(JSON.stringify(CONFIG)),
  fc.dictionary(fc.string(), fc.jsonValue()).map((members) => JSON.stringify({ ...members, cniVersion: '1.1.0' })),
  fc.json(),
);
/** No variable of an environment can hold a NUL. */
const text = fc.string({ unit: 'binary' }).map((each) => each.replaceAll('\0', ''));
const environment = fc.record({
  CNI_COMMAND: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...COMMANDS) }, text),
  CNI_CONTAINERID: fc.oneof({ weight: 4, arbitrary: fc.stringMatching(/^[a-z0-9][a-z0-9_.-]{0,80}$/) }, text),
  CNI_IFNAME: fc.oneof({ weight: 4, arbitrary: fc.constant('eth0') }, text),
  CNI_NETNS: text,
  CNI_ARGS: text,
  CNI_PATH: text,
});

/** Depth beyond which the shim refuses what JSON would allow. */
const tooDeep = (value: unknown, left = 128): boolean =>
  left === 0 || (typeof value === 'object' && value !== null && Object.values(value).some((each) => tooDeep(each, left - 1)));

function parsedConfig(stdin: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(stdin) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value) && !tooDeep(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined; // not JSON
  }
}

(canRun ? describe : describe.skip)('isthmus-cni, whatever comes', () => {
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'isthmus-cni-fuzz-'));
    program = compileShim(dir, '-g', '-O1', ...SANITIZERS);
    await startAgent(join(dir, 'agent.sock'));
  }, 10 * MINUTE_MS);
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(dir, { recursive: true, force: true });
  });
  beforeEach(() => {
    requests = [];
    answer = Buffer.from(GOOD_ANSWER);
  });

  it(
    'takes for JSON what is JSON, nothing else, and passes it on as it is',
    async () => {
      const env = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c', CNI_IFNAME: 'eth0', CNI_NETNS: '/n' };
      await fc.assert(
        fc.asyncProperty(mutated(someJson), async (stdin) => {
          requests = [];
          const result = await run(env, stdin);
          expectSound(result);
          const config = parsedConfig(stdin);
          // What has the version in other letters, or twice, is refused: nobody writes that.
          if (requests.length > 0) expect((JSON.parse(requests[0]!) as { config: unknown }).config).toEqual(config);
          else if (config === undefined) expect(JSON.parse(result.out)).toMatchObject({ code: 6 });
          else expect([1, 6, 7]).toContain((JSON.parse(result.out) as { code: number }).code);
          if (config && VERSIONS.includes(config['cniVersion'] as string) && !/\\|cniVersion.*cniVersion/s.test(stdin))
            expect(requests).toHaveLength(1);
        }),
        { numRuns: RUNS },
      );
    },
    MINUTE_MS,
  );

  it(
    'carries any environment as it is, or says which variable is wrong',
    async () => {
      await fc.assert(
        fc.asyncProperty(environment, mutated(someJson), async (env, stdin) => {
          requests = [];
          const result = await run(env, stdin);
          expectSound(result);
          for (const request of requests)
            expect(JSON.parse(request)).toMatchObject({
              command: env.CNI_COMMAND,
              containerId: env.CNI_CONTAINERID,
              ifname: env.CNI_IFNAME,
              netns: env.CNI_NETNS,
              args: env.CNI_ARGS,
              path: env.CNI_PATH,
            });
        }),
        { numRuns: RUNS },
      );
    },
    MINUTE_MS,
  );

  it(
    'makes an error of CNI of any answer that is none',
    async () => {
      const body = mutated(fc.oneof(someJson, fc.constant('{"cniVersion":"1.1.0","code":7,"msg":"X: y","details":"z"}')));
      const reply = fc.oneof(
        body.map((each) => `HTTP/1.0 200 OK\r\nContent-Length: ${Buffer.byteLength(each)}\r\n\r\n${each}`),
        fc
          .tuple(fc.nat(999), body)
          .map(([status, each]) => `HTTP/1.1 ${status} x\r\ncontent-length: ${Buffer.byteLength(each)}\r\n\r\n${each}`),
        mutated(fc.constant(GOOD_ANSWER)),
        fc.string({ unit: 'binary' }),
      );
      await fc.assert(
        fc.asyncProperty(fc.constantFrom('ADD', 'CHECK', 'GC', 'STATUS', 'DEL'), reply, async (command, each) => {
          answer = Buffer.from(each);
          const env = { CNI_COMMAND: command, CNI_CONTAINERID: 'c', CNI_IFNAME: 'eth0', CNI_NETNS: '/n', ISTHMUS_STATE_DIR: dir };
          const { status, out, err } = await run(env, JSON.stringify(CONFIG));
          expect([err, status]).toEqual(['', status === 0 ? 0 : 1]);
          if (status === 1) expect(JSON.parse(out)).toMatchObject({ code: expect.any(Number), msg: expect.any(String) });
          else if (command === 'ADD') expect(parsedConfig(out)).toBeDefined();
          else expect(out).toBe('');
        }),
        { numRuns: RUNS },
      );
      expect(readdirSync(join(dir, 'delete-queue')).filter((name) => name.endsWith('.json') && name !== 'c:eth0.json')).toEqual([]);
    },
    MINUTE_MS,
  );
});
