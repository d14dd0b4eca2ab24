import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodedError } from '@isthmus/core';
import { formatToken } from '@isthmus/crypto';
import { CLI_AGENT_DOWN, CLI_COMMAND } from '../cli.errors.ts';
import { type ContextFolder, contextFolder } from '../testing/context-folder.ts';
import { FakeCli } from '../testing/fake-cli.ts';
import { FakeJoinApi } from '../testing/fake-join-api.ts';
import { fakeMachine } from '../testing/fake-machine.ts';
import { readArchive } from '../testing/read-archive.ts';

const TOKEN = formatToken({ id: '0123456789abcdef', secret: 's'.repeat(43), caPin: 'a'.repeat(64) });

const ENCRYPTION = {
  enabled: true,
  node: 'west/n1',
  strict: true,
  encryptNode: false,
  implementation: 'kernel',
  pq: 'preferred',
  exempt: [],
  devices: [{ name: 'isth_wg_even', device: 'even', port: 51871, epoch: 2, fingerprint: '0123456789abcdef', privateKey: 'S3CRET' }],
  peers: [],
  mesh: { target: 2, targetSince: '', nodes: 1, atTarget: 1, laggards: [], withoutKeys: [], blockedBy: [], clusters: [] },
};

let cli: FakeCli;
let dir: string;
let contexts: ContextFolder;
let file: string;

beforeAll(async () => {
  contexts = await contextFolder('west');
});
afterAll(() => contexts.remove());

beforeEach(async () => {
  cli = new FakeCli();
  dir = await mkdtemp(join(tmpdir(), 'isthmus-sysdump-'));
  file = join(dir, 'dump.tar.gz');
  cli.env['HOME'] = dir;
  Object.assign(cli.agent.answers, {
    '/v1/status': { cluster: 'west', clusterId: 1, node: 'n1', ready: true, uptimeSeconds: 75 },
    '/v1/config': { 'cluster-name': 'west', 'bpf-root': '/sys/fs/bpf/own', 'tunnel-port': 8472 },
    '/v1/encryption': ENCRYPTION,
    '/v1/metrics': 'm 1\n',
    '/v1/tables': [
      { name: 'ips', rows: 2 },
      { name: 'sink/peers', rows: 0 },
    ],
    '/v1/tables/ips': [
      { key: '10.1.0.2', row: { identity: 7 } },
      { key: '10.1.0.3', row: { identity: 8 } },
    ],
    '/v1/tables/sink%2Fpeers': [],
    '/v1/bpf': ['ipcache'],
    '/v1/bpf/ipcache': [{ prefix: '10.1.0.2', identity: 7 }],
  });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const dump = async (...more: readonly string[]): Promise<Map<string, string>> => {
  expect(await cli.run('sysdump', '--output-filename', file, ...more)).toBe(0);
  return await readArchive(file);
};

describe('sysdump', () => {
  it('holds what the agent believes, a row a line, and what the machine is', async () => {
    const files = await dump();
    expect(files.get('agent/tables/ips.json')).toBe(
      '[\n{"key":"10.1.0.2","row":{"identity":7}},\n{"key":"10.1.0.3","row":{"identity":8}}\n]\n',
    );
    expect(files.get('agent/bpf/ipcache.json')).toContain('"prefix":"10.1.0.2"');
    expect(files.get('agent/metrics.txt')).toBe('m 1\n');
    expect(JSON.parse(files.get('agent/encryption.json') ?? '')).toMatchObject({ node: 'west/n1', mesh: { target: 2 } });
    expect(files.get('agent/encryption.json')).toContain('0123456789abcdef');
    expect(files.get('agent/encryption.json')).not.toContain('S3CRET');
    expect(files.get('machine/links.txt')).toContain('ip -details -statistics link show');
    expect(files.get('machine/pins.txt')).toContain('/sys/fs/bpf/own/');
    expect(JSON.parse(files.get('machine/preflight.json') ?? '')).toContainEqual(expect.objectContaining({ name: 'TCX', state: 'yes' }));
    expect(files.get('http/127.0.0.1-9962/readyz.txt')).toContain('http://127.0.0.1:9962/readyz');
    expect([...files.keys()]).toEqual(expect.arrayContaining(['sysdump.json', 'agent/status.json', 'agent/tables/sink.peers.json']));
    expect([...files.keys()]).not.toContain('errors.txt');
    expect(cli.out).toMatch(new RegExp(`^${file}: ${files.size} files, \\d+ KiB\n$`));
  });

  it('shows how far it is, part by part', async () => {
    await dump();
    expect(cli.err.split('\n').map((line) => line.replace(/^\[.*\] /, '').replace(/, .*/, ''))).toEqual([
      'about: 1 files',
      "this node's agent: 8 files",
      'metrics: 4 files',
      expect.stringMatching(/^this machine: \d+ files$/),
      'logs: 0 files',
      '',
    ]);
  });

  it('goes on without what cannot be read, and says so', async () => {
    cli.agent.answers['/v1/bpf/ipcache'] = new CodedError({ code: 'BPF_GONE', meaning: '', action: 'Look at it.' }, 'no such map');
    cli.machine = fakeMachine({
      run: (argv) => Promise.reject(new CodedError(CLI_COMMAND, 'not here', { object: argv.join(' ') })),
      page: () => Promise.reject(new Error(`refused, and ${TOKEN}`)),
    });
    const files = await dump();
    const errors = files.get('errors.txt') ?? '';
    expect(errors).toContain('agent/bpf/ipcache.json\nerror: BPF_GONE: no such map\n  what to do: Look at it.\n');
    expect(errors).toContain('machine/links.txt\nerror: CLI_COMMAND ip -details -statistics link show: not here\n');
    expect(errors).not.toContain('sss');
    expect(files.has('agent/tables/ips.json')).toBe(true);
    expect(cli.out).toContain('could not be read; why is in errors.txt:\n  agent/bpf/ipcache.json\n');
  });

  it('is written without an agent, too', async () => {
    for (const path of Object.keys(cli.agent.answers)) cli.agent.answers[path] = new CodedError(CLI_AGENT_DOWN, 'there is no socket');
    const files = await dump();
    expect(files.get('errors.txt')).toContain("this node's agent\nerror: CLI_AGENT_DOWN: there is no socket");
    expect(files.get('machine/pins.txt')).toContain('/sys/fs/bpf/isthmus/');
  });

  it('asks the cluster of the context, and leaves out what people put into objects beside the network', async () => {
    cli.env['ISTHMUS_CONFIG'] = contexts.config;
    cli.joinApis.set('https://west.test:4280', new FakeJoinApi('west', 1));
    cli.input = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'a',
        namespace: 'shop',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'S3CRET', plain: 'yes' },
      },
      spec: { nodeName: 'n1', containers: [{ name: 'c', env: [{ name: 'P', value: 'S3CRET' }], args: ['--password=S3CRET'] }] },
    });
    expect(await cli.run('apply', '-f', '-')).toBe(0);
    const [metadata, stringData] = [
      { name: 'tor', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'S3CRET' } },
      { password: 'S3CRET' },
    ];
    cli.input = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, stringData });
    expect(await cli.run('apply', '-f', '-')).toBe(0);
    const files = await dump();
    expect(JSON.parse(files.get('cluster/objects/secrets.json') ?? '')).toMatchObject([{ metadata: { name: 'tor' } }]);
    expect([...files.values()].join('')).not.toContain(Buffer.from('S3CRET').toString('base64'));
    expect(JSON.parse(files.get('cluster/cluster.json') ?? '')).toMatchObject({ name: 'west', id: 1 });
    expect(JSON.parse(files.get('cluster/objects/pods.json') ?? '')).toMatchObject([
      { metadata: { name: 'a', annotations: { plain: 'yes' } }, spec: { nodeName: 'n1', containers: [{ name: 'c' }] } },
    ]);
    expect([...files.values()].join('')).not.toContain('S3CRET');
  });

  it('wants a context that was named to exist, and can do with a broken file of contexts', async () => {
    expect(await cli.run('sysdump', '--output-filename', file, '--context', 'nowhere')).toBe(5);
    expect(cli.err).toContain('CLI_CONTEXT_UNKNOWN nowhere');
    cli.env['ISTHMUS_CONFIG'] = join(dir, 'contexts');
    await writeFile(join(dir, 'contexts'), 'contexts: 7\n', { mode: 0o600 });
    expect((await dump()).get('errors.txt')).toContain('the cluster of the current context\nerror: CLI_CONTEXT_FILE');
  });

  it('takes logs along, without keys and tokens', async () => {
    const key = await readFile(join(contexts.dir, 'west/clients/root.key'), 'utf8').catch(() => contexts.read('west/ca/ca.key'));
    cli.machine = fakeMachine({
      hasProgram: (name) => name === 'journalctl',
      readEnd: async (path) => `${path}\n${JSON.stringify({ msg: 'made', key, token: TOKEN })}\n`,
      run: async () => `${key}\n`,
    });
    const files = await dump('--logs', '/var/log/a/agent.log', '/var/log/b/agent.log');
    expect(files.get('logs/1-agent.log')).toContain('/var/log/a/agent.log');
    expect(files.get('logs/2-agent.log')).toContain('/var/log/b/agent.log');
    expect(files.has('logs/journal.txt')).toBe(true);
    const all = [...files.values()].join('');
    for (const line of key.split('\n').filter((each) => each !== '' && !each.startsWith('-'))) expect(all).not.toContain(line);
    expect(all).not.toContain('sss');
    expect(all).toContain('isth1.0123456789abcdef.');
  });

  it('is for its owner alone, and replaces an older one at once', async () => {
    await writeFile(file, 'old');
    await dump();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(dir)).toEqual(['dump.tar.gz']);
  });

  it('leaves nothing behind when it is interrupted, or cannot be written', async () => {
    cli.machine = fakeMachine({
      run: async () => {
        cli.interrupt.abort();
        return '';
      },
    });
    expect(await cli.run('sysdump', '--output-filename', file)).toBe(130);
    expect(await readdir(dir)).toEqual([]);
    cli = new FakeCli();
    expect(await cli.run('sysdump', '--output-filename', join(dir, 'no/such/dump.tar.gz'))).toBe(1);
    expect(cli.err).toContain('error: CLI_FILE');
  });

  it('tells programs where it is', async () => {
    expect(await cli.run('sysdump', '--output-filename', file, '-o', 'json')).toBe(0);
    expect(JSON.parse(cli.out)).toMatchObject({ file, files: expect.any(Number), bytes: (await stat(file)).size, errors: [] });
  });
});
