import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeAgent, startFakeAgent } from './fake-agent.ts';
import { canCompile, compileShim, runShim } from './run-shim.ts';

const hasCompiler = canCompile();
if (!hasCompiler) console.warn('isthmus-cni.spec: skipped, gcc is not installed (install the package gcc)');

const VERSIONS = ['0.3.1', '0.4.0', '1.0.0', '1.1.0'];
const CONFIG = '{"cniVersion":"1.0.0","name":"isthmus","type":"isthmus-cni"}';
const POD = {
  CNI_CONTAINERID: 'c0ffee',
  CNI_NETNS: '/run/netns/pod',
  CNI_IFNAME: 'eth0',
  CNI_ARGS: 'K8S_POD_NAME=a',
  CNI_PATH: '/opt/cni',
};

let dir: string;
let program: string;
let socket: string;
let agent: FakeAgent | undefined;
let run = 0;

/** Runs the shim once as a runtime would. */
async function cni(command: string, env: Record<string, string> = {}, stdin: string | Buffer = CONFIG) {
  const { status, out } = await runShim(program, { CNI_COMMAND: command, ISTHMUS_SOCK: socket, ...POD, ...env }, stdin);
  return { status, out };
}

const queue = (): string => join(dir, `s${run}`, 'delete-queue');
const queuedFiles = (): string[] => readdirSync(queue()).filter((f) => f.endsWith('.json'));

(hasCompiler ? describe : describe.skip)('isthmus-cni', () => {
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'isthmus-cni-'));
    program = compileShim(dir, '-O2', '-static');
  }, 60_000);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  beforeEach(() => {
    mkdirSync(join(dir, `s${++run}`));
    socket = join(dir, `s${run}`, 'agent.sock');
  });
  afterEach(async () => {
    await agent?.stop();
    agent = undefined;
  });

  describe('with an agent', () => {
    beforeEach(async () => {
      agent = await startFakeAgent(socket);
    });

    it.each(['ADD', 'DEL', 'CHECK', 'GC', 'STATUS'])('%s carries environment and configuration, and the answer back', async (command) => {
      agent!.answer = { status: 200, body: '{"cniVersion":"1.0.0","ips":[]}' };
      // Only ADD has a result.
      expect(await cni(command)).toEqual({ status: 0, out: command === 'ADD' ? '{"cniVersion":"1.0.0","ips":[]}' : '' });
      expect(agent!.calls).toHaveLength(1);
      expect(agent!.calls[0]).toMatchObject({ method: 'POST', url: `/v1/cni/${command}` });
      expect(JSON.parse(agent!.calls[0]!.body)).toEqual({
        command,
        containerId: POD.CNI_CONTAINERID,
        netns: POD.CNI_NETNS,
        ifname: POD.CNI_IFNAME,
        args: POD.CNI_ARGS,
        path: POD.CNI_PATH,
        config: JSON.parse(CONFIG),
      });
    });

    it('escapes whatever is in the environment', async () => {
      const args = 'A="x\\y";\r\nB: evil\t\u0001é"},{"';
      await cni('ADD', { CNI_ARGS: args });
      expect(JSON.parse(agent!.calls[0]!.body).args).toBe(args);
    });

    it('passes the configuration verbatim up to the limit, and refuses more', async () => {
      const big = JSON.stringify({ cniVersion: '1.0.0', pad: 'x'.repeat(1024 * 1024 - 40) });
      expect((await cni('ADD', {}, big)).status).toBe(0);
      expect(agent!.calls[0]!.body.endsWith(`"config":${big}}`)).toBe(true);
      const refused = await cni('ADD', {}, `${big}${' '.repeat(64)}`);
      expect(JSON.parse(refused.out)).toMatchObject({
        code: 5,
        msg: 'CNI_INPUT_UNREADABLE: cannot read the network configuration: File too large',
        details: expect.stringContaining('at most 1 MiB'),
      });
      expect(agent!.calls).toHaveLength(1);
    });

    it.each([
      ['an error of the agent', 500, '{"cniVersion":"1.0.0","code":7,"msg":"bad","details":""}', { code: 7, msg: 'bad' }],
      ['an answer that is not JSON', 503, 'busy', { code: 100, msg: 'CNI_AGENT_ANSWER: the agent answered HTTP 503' }],
      ['an empty answer', 404, '', { code: 100, msg: 'CNI_AGENT_ANSWER: the agent answered HTTP 404' }],
      ['half of a result', 200, '{"ips":[', { code: 100, msg: 'CNI_AGENT_ANSWER: the agent answered HTTP 200' }],
      [
        "an error of the agent's API as one of CNI",
        400,
        '{"code":"API_REQUEST_INVALID","message":"the body is not JSON","action":"Send JSON"}',
        { code: 100, msg: 'CNI_AGENT_ANSWER: the agent answered HTTP 400: the body is not JSON' },
      ],
    ])('prints %s and exits 1', async (_, status, body, error) => {
      agent!.answer = { status, body };
      const result = await cni('DEL');
      expect(result.status).toBe(1);
      expect(JSON.parse(result.out)).toMatchObject(error);
    });

    it('takes an answer larger than one read', async () => {
      const body = JSON.stringify({ pad: 'y'.repeat(300_000) });
      agent!.answer = { status: 200, body };
      expect(await cni('ADD')).toEqual({ status: 0, out: body });
    });

    it('does not take half an answer for a whole one', async () => {
      agent!.answer = 'cut';
      const result = await cni('ADD');
      expect(result.status).toBe(1);
      expect(JSON.parse(result.out)).toMatchObject({ code: 11, msg: expect.stringMatching(/^CNI_AGENT_UNREACHABLE: /) });
    });

    it.each(['ADD', 'DEL'])('gives up on a silent agent during %s and queues nothing: the runtime tries again', async (command) => {
      agent!.answer = 'silent';
      const result = await cni(command);
      expect(result.status).toBe(1);
      expect(JSON.parse(result.out)).toMatchObject({ code: 11 });
      expect(() => queuedFiles()).toThrow('ENOENT');
    });

    it('finds the socket in the configuration, at its top level only', async () => {
      const config = JSON.stringify({
        cniVersion: '1.1.0',
        prevResult: { socketPath: '/nowhere' },
        'a"b': '"socketPath":"/no"',
        socketPath: socket,
      });
      expect((await cni('ADD', { ISTHMUS_SOCK: '' }, config)).status).toBe(0);
    });
  });

  it.each([
    ['no command', '', {}, CONFIG, 4, 'CNI_ENVIRONMENT: CNI_COMMAND is missing or malformed'],
    ['an unknown command', 'FROB', {}, CONFIG, 4, 'CNI_ENVIRONMENT: CNI_COMMAND is missing or malformed'],
    ['no container id', 'ADD', { CNI_CONTAINERID: '' }, CONFIG, 4, 'CNI_ENVIRONMENT: CNI_CONTAINERID is missing or malformed'],
    ['a container id with a path', 'DEL', { CNI_CONTAINERID: 'a/../b' }, CONFIG, 4, 'CNI_ENVIRONMENT: CNI_CONTAINERID '],
    ['a container id that begins with a dot', 'DEL', { CNI_CONTAINERID: '.a' }, CONFIG, 4, 'CNI_ENVIRONMENT: CNI_CONTAINERID '],
    ['no interface name', 'DEL', { CNI_IFNAME: '' }, CONFIG, 4, 'CNI_ENVIRONMENT: CNI_IFNAME '],
    ['an interface name too long', 'ADD', { CNI_IFNAME: 'abcdefghijklmnop' }, CONFIG, 4, 'CNI_ENVIRONMENT: CNI_IFNAME '],
    ['two dots as an interface name', 'ADD', { CNI_IFNAME: '..' }, CONFIG, 4, 'CNI_ENVIRONMENT: CNI_IFNAME '],
    ['an interface name with a colon', 'ADD', { CNI_IFNAME: 'eth0:1' }, CONFIG, 4, 'CNI_ENVIRONMENT: CNI_IFNAME '],
    ['no network namespace for ADD', 'ADD', { CNI_NETNS: '' }, CONFIG, 4, 'CNI_ENVIRONMENT: CNI_NETNS is missing or malformed'],
    ['a version that nobody knows', 'ADD', {}, '{"cniVersion":"9.9.9"}', 1, 'cniVersion 9.9.9 is not one of 0.3.1, 0.4.0, 1.0.0, 1.1.0'],
    ['no version, which means the first', 'DEL', {}, '{}', 1, 'cniVersion 0.1.0 is not one of'],
    ['a version that is a number', 'ADD', {}, '{"cniVersion":1.1}', 6, 'CNI_CONFIG_MALFORMED: cniVersion is not a version'],
    [
      'a socket that is no path',
      'ADD',
      { ISTHMUS_SOCK: '' },
      '{"cniVersion":"1.1.0","socketPath":["/x"]}',
      7,
      'CNI_CONFIG_INVALID: socketPath ',
    ],
    ['a state folder that is no path', 'DEL', {}, '{"cniVersion":"1.1.0","stateDir":1}', 7, 'CNI_CONFIG_INVALID: stateDir '],
  ])('refuses %s', async (_, command, env, config, code, message) => {
    const result = await cni(command, env as Record<string, string>, config);
    expect(result.status).toBe(1);
    const { msg, details, cniVersion } = JSON.parse(result.out);
    expect([code, msg]).toEqual([code, expect.stringContaining(message)]);
    expect(VERSIONS).toContain(cniVersion);
    expect(details).toMatch(/\.$/);
  });

  it.each([
    ['nothing', ''],
    ['an object cut short', '{"cniVersion":"1.1.0","a":"}"'],
    ['brackets that do not match', '{"a":[}]'],
    ['members that would join those of the request', '{},"netns":"/x"'],
    ['a NUL byte', '{"a":1}\0'],
    ['a list', '[{}]'],
    ['a comma too many', '{"a":1,}'],
    ['a name without quotes', '{a:1}'],
    ['a number with a leading zero', '{"a":01}'],
    ['a word that is none', '{"a":nul}'],
    ['an escape that is none', '{"a":"\\x"}'],
    ['a line break in a string', '{"a":"\n"}'],
    ['more depth than anybody needs', `{"a":${'['.repeat(200)}${']'.repeat(200)}}`],
    ['a byte order mark', '\ufeff{"a":1}'],
  ])('refuses a configuration of %s, without an agent too, and queues nothing', async (_, config) => {
    for (const command of ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS']) {
      const result = await cni(command, {}, config);
      expect(result.status).toBe(1);
      expect(JSON.parse(result.out)).toMatchObject({ code: 6, msg: expect.stringMatching(/^CNI_CONFIG_MALFORMED: /) });
    }
    expect(() => queuedFiles()).toThrow('ENOENT');
  });

  it.each([
    ['the runtime’s', '{"prevResult":{"cniVersion":"0.3.1"},"cniVersion":"0.4.0"}', '0.4.0'],
    ['the newest without a configuration', '', '1.1.0'],
    ['one that it does not speak', '{"cniVersion":"2.0.0"}', '2.0.0'],
  ])('answers VERSION itself, in %s version', async (_, config, cniVersion) => {
    const result = await cni('VERSION', {}, config);
    expect(result.status).toBe(0);
    expect(JSON.parse(result.out)).toEqual({ cniVersion, supportedVersions: VERSIONS });
  });

  describe('without an agent', () => {
    it.each([
      ['ADD', 11],
      ['CHECK', 11],
      ['GC', 11],
      ['STATUS', 50],
    ])('%s fails with code %d and says what to do', async (command, code) => {
      const result = await cni(command);
      expect(result.status).toBe(1);
      const error = JSON.parse(result.out);
      expect(error).toMatchObject({
        cniVersion: '1.0.0',
        code,
        msg: `CNI_AGENT_UNREACHABLE: the agent does not answer at ${socket}: No such file or directory`,
        details: expect.stringContaining('Start the isthmus agent on this node'),
      });
    });

    it('DEL queues the request, readable by root only, once per attachment', async () => {
      expect(await cni('DEL')).toEqual({ status: 0, out: '' });
      expect(await cni('DEL')).toEqual({ status: 0, out: '' });
      await cni('DEL', { CNI_IFNAME: 'net1' });
      expect(queuedFiles().sort()).toEqual(['c0ffee:eth0.json', 'c0ffee:net1.json']);
      expect(statSync(join(queue(), 'c0ffee:eth0.json')).mode & 0o777).toBe(0o600);
      expect(statSync(queue()).mode & 0o777).toBe(0o700);
      const body = JSON.parse(readFileSync(join(queue(), 'c0ffee:eth0.json'), 'utf8'));
      expect(body).toMatchObject({ command: 'DEL', containerId: 'c0ffee', ifname: 'eth0', config: JSON.parse(CONFIG) });
    });

    it('DEL queues when the agent dies during the call', async () => {
      agent = await startFakeAgent(socket);
      agent.answer = 'cut';
      expect(await cni('DEL')).toEqual({ status: 0, out: '' });
      expect(queuedFiles()).toEqual(['c0ffee:eth0.json']);
    });

    it('DEL takes its file back when the agent came up meanwhile', async () => {
      agent = await startFakeAgent(socket);
      agent.answer = 'cut';
      const first = cni('DEL');
      while (agent.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
      agent.answer = { status: 200, body: '{}' };
      expect((await first).status).toBe(0);
      expect(queuedFiles()).toEqual([]);
    });

    it('DEL uses the state directory that it is given', async () => {
      const state = join(dir, `s${run}`, 'state');
      expect((await cni('DEL', {}, JSON.stringify({ cniVersion: '1.1.0', stateDir: state }))).status).toBe(0);
      expect(readdirSync(join(state, 'delete-queue'))).toContain('c0ffee:eth0.json');
    });

    it('DEL says so when the queue is full, and still replaces a file that is in it', async () => {
      mkdirSync(queue(), { mode: 0o700 });
      for (let i = 0; i < 256; i++) writeFileSync(join(queue(), `x${i}:eth0.json`), '{}');
      const result = await cni('DEL');
      expect(result.status).toBe(1);
      expect(JSON.parse(result.out)).toMatchObject({ code: 11, msg: expect.stringContaining('(at most 256 entries)') });
      expect((await cni('DEL', { CNI_CONTAINERID: 'x7' })).status).toBe(0);
      expect(queuedFiles()).toHaveLength(256);
    });

    it('concurrent deletions all arrive in the queue', async () => {
      const ids = Array.from({ length: 30 }, (_, i) => `pod${i}`);
      const results = await Promise.all(ids.map((id) => cni('DEL', { CNI_CONTAINERID: id })));
      expect(results.every((r) => r.status === 0)).toBe(true);
      expect(queuedFiles().sort()).toEqual(ids.map((id) => `${id}:eth0.json`).sort());
    });
  });
});
