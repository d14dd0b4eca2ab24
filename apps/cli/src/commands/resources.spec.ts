import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { FakeCli } from '../testing/fake-cli.ts';

const POD = `
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec: { nodeName: n1 }
`;
const SERVICE = `
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop, annotations: { service.cilium.io/global: "true" } }
spec: { clusterIP: 10.101.0.5, ports: [{ port: 80 }] }
`;

let dir: string;
let cli: FakeCli;
const ETCD = ['--etcd-config', '/etc/etcd.yaml'];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'isthmus-cli-'));
  cli = new FakeCli();
});

afterEach(() => rm(dir, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, name), text);
  return join(dir, name);
}

describe('apply', () => {
  it('creates, changes and leaves alone, and says which', async () => {
    const path = await file('all.yaml', `${POD}---${SERVICE}`);
    expect(await cli.run('apply', ...ETCD, '-f', path)).toBe(0);
    expect(cli.out).toBe('Pod default/web created\nService shop/web created\n');
    await file('all.yaml', `${POD.replace('n1', 'n2')}---${SERVICE}`);
    expect(await cli.run('apply', ...ETCD, '-f', path, '-o', 'json')).toBe(0);
    expect(JSON.parse(cli.out)).toEqual([
      { kind: 'Pod', namespace: 'default', name: 'web', result: 'configured' },
      { kind: 'Service', namespace: 'shop', name: 'web', result: 'unchanged' },
    ]);
    expect(cli.etcdFiles).toEqual(['/etc/etcd.yaml', '/etc/etcd.yaml']);
  });

  it('takes standard input, folders, JSON and lists, and a namespace for what names none', async () => {
    cli.input = POD;
    expect(await cli.run('apply', ...ETCD, '-n', 'shop', '-f', '-')).toBe(0);
    expect(cli.out).toBe('Pod shop/web created\n');
    await file('1.json', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [parse(SERVICE), parse(POD)] }));
    await file('ignored.txt', 'no manifest');
    expect(await cli.run('apply', ...ETCD, '-f', dir)).toBe(0);
    expect(cli.out).toBe('Service shop/web created\nPod default/web created\n');
  });

  it('changes nothing when anything is wrong, and names file, line, document and field of each', async () => {
    const bad = `${POD}---\napiVersion: v1\nkind: Service\nmetadata: { name: bad }\nspec: { ports: [{ port: 99999 }] }\n---\nkind: Deployment\n---\n: {\n`;
    const path = await file('bad.yaml', bad);
    expect(await cli.run('apply', ...ETCD, '-f', path)).toBe(1);
    const lines = cli.err.split('\n').filter((line) => line.startsWith('error'));
    expect(lines).toEqual([
      `error: RESOURCE_INVALID ${path}:7 (document 2): Service default/bad: Service: spec.ports.0.port: Too big: expected number to be <=65535`,
      `error: RESOURCE_KIND_UNKNOWN ${path}:12 (document 3): no kind is named Deployment`,
      expect.stringContaining(`error: RESOURCE_INVALID ${path}:15 (document 4): `),
    ]);
    expect(cli.err).toContain('also: nothing was changed');
    expect(cli.etcdFiles).toEqual([]);
  });

  it('names a file that is not there, and asks for one', async () => {
    expect(await cli.run('apply', ...ETCD, '-f', join(dir, 'none.yaml'))).toBe(1);
    expect(cli.err).toContain(`error: CLI_FILE ${join(dir, 'none.yaml')}: `);
    expect(cli.err).toContain('ENOENT');
    expect(await cli.run('apply', ...ETCD)).toBe(2);
  });

  it('needs a context, and says how to make one', async () => {
    cli.env['ISTHMUS_CONFIG'] = join(dir, 'config');
    cli.input = POD;
    expect(await cli.run('apply', '-f', '-')).toBe(1);
    expect(cli.err).toContain('CLI_CONTEXT_NONE');
    await file('config', 'current: west\ncontexts: [{ name: west }]\n');
    expect(await cli.run('apply', '-f', '-')).toBe(1);
    expect(cli.err).toContain('CLI_CONTEXT_INCOMPLETE context west: it has no etcd');
  });
});

describe('get', () => {
  beforeEach(async () => {
    cli.input = `${POD}---${SERVICE}`;
    await cli.run('apply', ...ETCD, '-f', '-');
  });

  it('prints tables', async () => {
    cli.clock.advance(3_600_000);
    expect(await cli.run('get', 'pods', ...ETCD)).toBe(0);
    expect(cli.out).toBe('NAME   NODE   PHASE   ADDRESSES   LABELS    AGE\nweb    n1             -           app=web   60m\n');
    expect(await cli.run('get', 'svc', '-A', ...ETCD)).toBe(0);
    expect(cli.out).toContain('shop        web    ClusterIP   10.101.0.5    -              80/TCP   yes      60m\n');
  });

  it('prints one object or a list for programs', async () => {
    expect(await cli.run('get', 'service', 'web', '-n', 'shop', '-o', 'json', ...ETCD)).toBe(0);
    expect(JSON.parse(cli.out)).toMatchObject({ kind: 'Service', metadata: { name: 'web', namespace: 'shop' } });
    expect(await cli.run('get', 'pods', '-o', 'yaml', ...ETCD)).toBe(0);
    expect(parse(cli.out)).toMatchObject({ kind: 'List', items: [{ metadata: { name: 'web' } }] });
  });

  it.each(['json', 'yaml'])('never shows what is in a secret, as %s', async (output) => {
    cli.input = 'apiVersion: v1\nkind: Secret\nmetadata: { name: tor }\nstringData: { password: hunter2 }\ndata: { b: "" }\n';
    expect(await cli.run('apply', ...ETCD, '-f', '-')).toBe(0);
    let shown = cli.out;
    expect(await cli.run('get', 'secret', ...ETCD)).toBe(0);
    expect(cli.out).toBe('NAME   TYPE     KEYS   AGE\ntor    Opaque   2      0s\n');
    for (const names of [['tor'], []]) {
      expect(await cli.run('get', 'secret', ...names, '-o', output, ...ETCD)).toBe(0);
      shown += cli.out;
      expect(cli.out).toContain('(7 bytes, not shown)');
    }
    const watching = cli.run('get', 'secret', '-w', '-o', output, ...ETCD);
    while (!cli.out.includes('password')) await new Promise((resolve) => setImmediate(resolve));
    cli.interrupt.abort(new Error('Ctrl-C'));
    await watching;
    expect(cli.out).toContain('(7 bytes, not shown)');
    expect(shown + cli.out).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  it('tells nothing, not found and unknown apart', async () => {
    expect(await cli.run('get', 'pods', '-n', 'shop', ...ETCD)).toBe(0);
    expect([cli.out, cli.err]).toEqual(['', 'there are no pods in namespace shop\n']);
    expect(await cli.run('get', 'pod', 'db', ...ETCD)).toBe(5);
    expect(cli.err).toContain('RESOURCE_NOT_FOUND Pod default/db');
    expect(await cli.run('get', 'gadgets', ...ETCD)).toBe(2);
    expect(cli.err).toContain('Kinds are pods, services,');
    expect(await cli.run('get', 'pod', 'web', '-A', ...ETCD)).toBe(2);
  });

  it('watches until Ctrl-C', async () => {
    const run = cli.run('get', 'pods', '-w', '-o', 'json', ...ETCD);
    const until = async (text: string): Promise<void> => {
      while (!cli.out.includes(text)) await new Promise((resolve) => setImmediate(resolve));
    };
    await until('"name":"web"');
    const { POD: kind } = await import('@isthmus/model');
    await cli.resources().delete(kind, 'web', 'default');
    await until('deleted');
    cli.interrupt.abort(new Error('Ctrl-C'));
    expect(await run).toBe(0);
    expect(
      cli.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).type),
    ).toEqual(['set', 'deleted']);
  });
});

describe('delete', () => {
  beforeEach(async () => {
    cli.input = `${POD}---${SERVICE}`;
    await cli.run('apply', ...ETCD, '-f', '-');
  });

  it('deletes by name, goes on after one that is not there, and says so', async () => {
    expect(await cli.run('delete', 'pod', 'db', 'web', ...ETCD)).toBe(5);
    expect(cli.out).toBe('Pod default/web deleted\n');
    expect(cli.err).toContain('RESOURCE_NOT_FOUND Pod default/db');
    expect(await cli.run('delete', 'pod', 'web', '--ignore-not-found', ...ETCD)).toBe(0);
  });

  it('deletes what files name', async () => {
    expect(await cli.run('delete', '-f', '-', ...ETCD)).toBe(0);
    expect(cli.out).toBe('Pod default/web deleted\nService shop/web deleted\n');
    expect(await cli.run('delete', 'pod', '-f', '-', ...ETCD)).toBe(2);
    expect(await cli.run('delete', 'pod', ...ETCD)).toBe(2);
  });
});

describe('BGP objects and address pools', () => {
  const peers = 'peers: [{ name: tor, peerAddress: 192.0.2.1 }, { name: spine, peerAddress: 192.0.2.2 }]';
  const PEER = 'apiVersion: cilium.io/v2alpha1\nkind: CiliumBGPPeerConfig\nmetadata: { name: tor }\nspec: {}\n';
  const CLUSTER = `apiVersion: cilium.io/v2\nkind: CiliumBGPClusterConfig\nmetadata: { name: rack }\nspec: { bgpInstances: [{ name: main, ${peers} }] }\n`;
  const POOL =
    'apiVersion: cilium.io/v2\nkind: CiliumLoadBalancerIPPool\nmetadata: { name: vips }\nspec: { blocks: [{ cidr: 10.9.0.0/24 }] }\n';

  it('are applied in either version, shown under their short names, and deleted', async () => {
    cli.input = [PEER, CLUSTER, POOL].join('---\n');
    expect(await cli.run('apply', ...ETCD, '-f', '-')).toBe(0);
    expect(await cli.run('get', 'cbgppeer', '-o', 'json', ...ETCD)).toBe(0);
    expect(JSON.parse(cli.out).items).toMatchObject([{ apiVersion: 'cilium.io/v2', metadata: { name: 'tor' } }]);
    expect(await cli.run('get', 'cbgpcluster', ...ETCD)).toBe(0);
    expect(cli.out).toBe('NAME   INSTANCES   PEERS   PROBLEMS   AGE\nrack   main        2       -          0s\n');
    expect(await cli.run('get', 'ippools', ...ETCD)).toBe(0);
    expect(cli.out).toBe('NAME   DISABLED   CONFLICTING   IPS-AVAILABLE   AGE\nvips   no         no            -               0s\n');
    expect(await cli.run('delete', 'lbippool', 'vips', ...ETCD)).toBe(0);
  });

  it('that are wrong are refused with the field', async () => {
    cli.input = CLUSTER.replace('192.0.2.2', '192.0.2.999');
    expect(await cli.run('apply', ...ETCD, '-f', '-')).toBe(1);
    expect(cli.err).toContain('CiliumBGPClusterConfig: spec.bgpInstances.0.peers.1.peerAddress: must be an IPv4 or IPv6 address');
  });
});
