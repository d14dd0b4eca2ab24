import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { type CommandResult, Lab, leftovers } from '@isthmus/lab';
import { extract } from 'tar-stream';

// A sysdump of a real node and of a real control plane: everything that should be in it, and no secret of the whole lab.

const NAME = 'e2edump';
const MINUTE_MS = 60_000;
import.meta.jest.setTimeout(MINUTE_MS);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let lab: Lab;
let dir: string;
/** Tokens that could still be used. */
let tokens: string[];
let node: ReadonlyMap<string, string>;
let control: ReadonlyMap<string, string>;

beforeAll(async () => {
  await Lab.down(NAME);
  dir = mkdtempSync(join(tmpdir(), 'isthmus-e2edump-'));
  lab = await Lab.up('one-cluster', { name: NAME });
  tokens = [await output('east', 'clustermesh', 'token', 'create'), await output('east', 'node', 'token', 'create', 'n9')];
  const log = lab.processes.get('east/n1/agent').log;
  node = await dump('east/n1', '--logs', log, leakyLog());
  control = await dump('east', '--context', 'east', '--logs', lab.processes.get('east/apiserver').log);
}, 3 * MINUTE_MS);

afterAll(async () => {
  rmSync(dir, { recursive: true, force: true });
  await Lab.down(NAME);
  expect(leftovers(NAME)).toEqual([]);
});

function isthmus(place: string, ...args: readonly string[]): Promise<CommandResult> {
  const env = { ISTHMUS_CONFIG: join(lab.plan.paths.data, 'isthmus-config') };
  return lab.exec(place, [join(ROOT, 'scripts/run-app'), 'cli', ...args], { env });
}

async function output(place: string, ...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await isthmus(place, ...args);
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** Takes a sysdump at a place, and answers the texts of its files. */
async function dump(place: string, ...more: readonly string[]): Promise<Map<string, string>> {
  const file = join(dir, `${place.replace('/', '-')}.tar.gz`);
  await output(place, 'sysdump', '--output-filename', file, ...more);
  const files = new Map<string, string>();
  for await (const entry of createReadStream(file).pipe(createGunzip()).pipe(extract()))
    files.set(entry.header.name.split('/').slice(1).join('/'), await text(entry));
  return files;
}

/** Every private key of the lab: of its CA, etcds, processes, people and nodes. */
function privateKeys(): string[] {
  const { data, state } = lab.plan.paths;
  return [join(data, 'east'), join(state, 'nodes')]
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)))
    .filter((file) => file.endsWith('.key') && statSync(file).isFile())
    .map((file) => readFileSync(file, 'utf8'));
}

/** The log of a process that keeps no secret. */
function leakyLog(): string {
  const path = join(dir, 'leaky.log');
  const lines = [...privateKeys(), ...tokens].flatMap((secret) => [secret, JSON.stringify({ msg: 'leaky', secret })]);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** The parts of every secret by which it would be known. */
function traces(): string[] {
  const lines = privateKeys().flatMap((pem) => pem.split('\n').filter((line) => line.length > 16 && !line.startsWith('-----')));
  return [...lines, ...tokens.map((token) => token.split('.')[2] as string)];
}

/** Names in the table of a process in docs/metrics.md. */
function declaredMetrics(process: string): string[] {
  const page = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8');
  const section = page.split('\n## ').find((each) => each.startsWith(`${process}\n`)) ?? '';
  return [...section.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name as string);
}

describe('a sysdump', () => {
  it('holds no secret of the lab, wherever it may come from', () => {
    const wanted = traces();
    // CA, servers, clients, nodes, of which each key has three lines; and two tokens.
    expect(wanted.length).toBeGreaterThan(30);
    const leaky = readFileSync(join(dir, 'leaky.log'), 'utf8');
    expect(wanted.filter((trace) => !leaky.includes(trace))).toEqual([]);
    for (const files of [node, control]) {
      const all = [...files].flat().join('\n');
      expect(wanted.filter((trace) => all.includes(trace))).toEqual([]);
    }
    expect(node.get('logs/2-leaky.log')).toContain('"msg":"leaky"');
  });

  it('of a node holds what its agent believes, what the kernel has, and the log', () => {
    const rows = JSON.parse(node.get('agent/tables/ipcache.json') ?? '[]') as { key: string }[];
    const inKernel = JSON.parse(node.get('agent/bpf/ipcache.json') ?? '[]') as { prefix: string }[];
    expect(rows.length).toBeGreaterThan(5);
    expect(inKernel.map(({ prefix }) => prefix).sort()).toEqual(rows.map(({ key }) => key).sort());
    expect(JSON.parse(node.get('agent/status.json') ?? '')).toMatchObject({ node: 'n1', ready: true });
    expect(JSON.parse(node.get('agent/config.json') ?? '')).toMatchObject({ 'cluster-name': 'east', 'node-name': 'n1' });
    expect(node.get('machine/links.txt')).toContain('isth_vxlan');
    expect(node.get('machine/routes-ipv4.txt')).toContain('isth_host');
    expect(node.get('machine/pins.txt')).toContain('isth_ipcache');
    expect(node.get('logs/1-east.n1.agent.log')).toContain('datapath is up');
  });

  it('says what could not be read: nobody serves metrics over HTTP on a node of the lab', () => {
    const errors = node.get('errors.txt') ?? '';
    expect(errors.match(/^http\/.*$/gm)).toHaveLength(4);
    expect(errors.match(/^error: connect ECONNREFUSED .*$/gm)).toHaveLength(4);
    expect(errors.match(/^error: /gm)).toHaveLength(4);
    expect(control.get('errors.txt')).toContain("this node's agent\nerror: CLI_AGENT_DOWN");
  });

  it('of a control plane holds the cluster and its objects', () => {
    expect(JSON.parse(control.get('cluster/cluster.json') ?? '')).toMatchObject({ name: 'east', id: 1 });
    const nodes = JSON.parse(control.get('cluster/objects/ciliumnodes.json') ?? '[]') as { metadata: { name: string } }[];
    expect(nodes.map(({ metadata }) => metadata.name).sort()).toEqual(['n1', 'n2']);
    expect(control.get('logs/1-east.apiserver.log')).toContain('clustermesh-apiserver');
  });

  it('holds every metric that is declared, and no other', () => {
    const scraped = {
      agent: node.get('agent/metrics.txt'),
      'clustermesh-apiserver': control.get('http/127.0.0.1-9962/metrics.txt'),
      operator: control.get('http/127.0.0.1-9963/metrics.txt'),
    };
    for (const [process, metrics = ''] of Object.entries(scraped)) {
      const declared = declaredMetrics(process);
      expect(declared.length).toBeGreaterThan(10);
      expect([process, [...metrics.matchAll(/^# HELP (\w+)/gm)].map(([, name]) => name)]).toEqual([process, declared]);
    }
  });
});
