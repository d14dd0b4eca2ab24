import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClusterPlan, type CommandResult, clusterFiles, type Lab, waitUntil } from '@isthmus/lab';
import { appCommand, cliError, EXIT_CONFIG, etcdctl, isthmus, lastWords, startAgain } from './error-lab.ts';

/** Exit status of the command line: nobody answered, and somebody refused. */
const [UNREACHABLE, REFUSED] = [3, 4];
const CONFIG_KEY = 'cilium/cluster-config/east';

/** Clusters that cannot be joined, or not by whoever asks. Nothing is connected before; east and west are after. */
export function joinCases(lab: () => Lab): void {
  const cluster = (name: string): ClusterPlan => lab().cluster(name);
  const endpoint = (name: string): string => `${cluster(name).control.addresses.ipv4}:4280`;
  const connect = (from: string, to: string): Promise<CommandResult> =>
    isthmus(lab(), from, ['clustermesh', 'connect', '--context', from, '--destination-context', to]);
  const connectByToken = (token: string): Promise<CommandResult> =>
    isthmus(
      lab(),
      'west',
      ['clustermesh', 'connect', '--context', 'west', '--destination-endpoint', endpoint('east'), '--token-file', '-'],
      {
        input: token,
      },
    );
  const newToken = async (...words: readonly string[]): Promise<{ token: string; id: string; expires: string }> =>
    JSON.parse((await isthmus(lab(), 'east', [...words, '--context', 'east', '-o', 'json'])).stdout);
  /** Neither configuration nor user of another cluster is there. */
  const expectAlone = async (...names: readonly string[]): Promise<void> => {
    for (const name of names) {
      const folder = clusterFiles(cluster(name)).clustermesh;
      expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
      expect(await etcdctl(lab(), cluster(name), 'user', 'list')).not.toContain('remote-');
    }
  };
  /** What a cluster has of those that it is joined with: files, and users of its mesh etcd. */
  const joined = async (name: string): Promise<[files: string[], users: string]> => [
    readdirSync(clusterFiles(cluster(name)).clustermesh).sort(),
    await etcdctl(lab(), cluster(name), 'user', 'list'),
  ];
  const refused = async (outcome: Promise<CommandResult>, code: string, object: string, message: RegExp): Promise<void> => {
    expect(await outcome).toEqual({ status: REFUSED, stdout: '', stderr: cliError(code, object, message) });
  };
  /** Waits until an apiserver's join API answers with what it now is. */
  const answers = (context: string, expected: string): Promise<true> =>
    waitUntil(
      async () => (await isthmus(lab(), 'north', ['clustermesh', 'status', '--context', context])).stdout.includes(expected) || undefined,
      { what: `${context} to be ${expected}`, timeoutMs: 30_000 },
    );

  it("the port of the join API is taken: the second apiserver says so and has touched nothing of the first one's", async () => {
    const before = await etcdctl(lab(), cluster('east'), 'get', CONFIG_KEY, '-w', 'fields');
    const { argv } = lab().processes.get('east/apiserver');
    const { status, stdout } = await lab().exec('east', [...argv, '--prometheus-serve-addr', '']);
    expect(status).toBe(EXIT_CONFIG);
    expect(lastWords(stdout).err).toMatchObject({
      code: 'APISERVER_LISTEN',
      object: 'join-api-address',
      message: expect.stringContaining('0.0.0.0:4280'),
      action: expect.stringContaining('end the process that has it'),
    });
    const keys = (fields: string): string[] => fields.split('\n').filter((line) => /"(ModRevision|Lease)"/.test(line));
    expect(keys(before)).toHaveLength(2);
    expect(keys(await etcdctl(lab(), cluster('east'), 'get', CONFIG_KEY, '-w', 'fields'))).toEqual(keys(before));
  });

  it('pod networks overlap: both clusters and both networks are named, whichever side asks', async () => {
    await refused(connect('east', 'north'), 'JOIN_POD_CIDRS_OVERLAP', 'east', /10\.1\.0\.4\/30 of north overlaps 10\.1\.0\.0\/29 of east/);
    await refused(connect('north', 'east'), 'JOIN_POD_CIDRS_OVERLAP', 'north', /10\.1\.0\.0\/29 of east overlaps 10\.1\.0\.4\/30 of north/);
    await expectAlone('east', 'north');
  });

  it('two clusters have one id', async () => {
    await lab().processes.stop('north/apiserver');
    writeFileSync(join(clusterFiles(cluster('north')).config, 'apiserver/cluster-id'), '1');
    startAgain(lab(), 'north/apiserver', cluster('north').control);
    await answers('north', 'cluster north (id 1)');
    await refused(connect('east', 'north'), 'JOIN_ID_TAKEN', 'east', /north and east both have cluster-id 1/);
    await expectAlone('east', 'north');
  });

  it('a cluster id is outside of what its mesh allows: the apiserver says so, and touches nothing', async () => {
    await lab().processes.stop('north/apiserver');
    const before = await etcdctl(lab(), cluster('north'), 'get', 'cilium/', '--prefix');
    const { argv } = lab().processes.get('north/apiserver');
    const outside = { code: 'MESH_CLUSTER_ID_INVALID', action: expect.stringContaining('Use an integer from 1') };
    const expected: Readonly<Record<string, object>> = {
      '0': { ...outside, object: '0', message: '0 is not a cluster id from 1 to 255' },
      '256': { ...outside, object: '256', message: '256 is not a cluster id from 1 to 255' },
      '512': { code: 'CONFIG_INVALID', object: 'cluster-id', message: expect.stringContaining('"512"') },
    };
    for (const [id, error] of Object.entries(expected)) {
      const { status, stdout, stderr } = await lab().exec('north', [...argv, '--cluster-id', id]);
      expect(status).toBe(EXIT_CONFIG);
      expect(lastWords(stdout || stderr).err).toMatchObject(error);
    }
    expect(await etcdctl(lab(), cluster('north'), 'get', 'cilium/', '--prefix')).toBe(before);
  });

  it('meshes of different sizes: both sizes are named, whichever side asks', async () => {
    const folder = join(clusterFiles(cluster('north')).config, 'apiserver');
    writeFileSync(join(folder, 'cluster-id'), '3');
    writeFileSync(join(folder, 'max-connected-clusters'), '511');
    startAgain(lab(), 'north/apiserver', cluster('north').control);
    await answers('north', 'cluster north (id 3)');
    const sizes = /max-connected-clusters is 255 in east and 511 in north|max-connected-clusters is 511 in north and 255 in east/;
    await refused(connect('east', 'north'), 'JOIN_MESH_SIZE', 'east', sizes);
    await refused(connect('north', 'east'), 'JOIN_MESH_SIZE', 'north', sizes);
    await expectAlone('east', 'north');
    rmSync(join(folder, 'max-connected-clusters'));
  });

  it('nobody answers at the other end', async () => {
    await lab().processes.stop('north/apiserver');
    expect(await connect('east', 'north')).toEqual({
      status: UNREACHABLE,
      stdout: '',
      stderr: cliError('JOIN_API_UNREACHABLE', `https://${endpoint('north')}`, /ECONNREFUSED/),
    });
    await expectAlone('east', 'north');
    startAgain(lab(), 'north/apiserver', cluster('north').control);
    await answers('north', 'cluster north (id 3)');
  });

  it('an unknown CA is believed by neither side', async () => {
    const { east, west } = { east: clusterFiles(cluster('east')).pki, west: clusterFiles(cluster('west')).pki };
    const context = async (name: string, ca: string): Promise<void> => {
      const { cert, key } = west.clients.admin;
      await isthmus(lab(), 'east', ['context', 'set', name, '--endpoint', endpoint('east'), '--ca', ca, '--cert', cert, '--key', key]);
    };
    await context('stranger-server', west.ca.cert);
    await context('stranger-client', east.ca.cert);
    const status = (name: string): Promise<CommandResult> => isthmus(lab(), 'east', ['clustermesh', 'status', '--context', name]);
    await refused(status('stranger-server'), 'JOIN_API_UNTRUSTED', `https://${endpoint('east')}`, /cannot be trusted/);
    expect(await status('stranger-client')).toMatchObject({
      status: REFUSED,
      stderr: expect.stringMatching(/^error: JOIN_UNAUTHENTICATED.*\n {2}what to do: /),
    });
  });

  it('a token that is too old, for something else, of another cluster, or damaged', async () => {
    const old = await newToken('clustermesh', 'token', 'create', '--ttl', '1s');
    const node = await newToken('node', 'token', 'create', 'n1');
    await refused(connectByToken(node.token), 'TOKEN_KIND', node.id, /is for a node, not for a cluster/);
    await waitUntil(() => Date.now() > Date.parse(old.expires), { what: 'the token to expire', timeoutMs: 5_000 });
    await refused(connectByToken(old.token), 'TOKEN_EXPIRED', old.id, /expired at/);
    const foreign = JSON.parse(
      (await isthmus(lab(), 'west', ['clustermesh', 'token', 'create', '--context', 'west', '-o', 'json'])).stdout,
    );
    await refused(connectByToken(foreign.token), 'CA_PIN_MISMATCH', `https://${endpoint('east')}`, /does not show the CA/);
    const damaged = await connectByToken('isth1.hunter2');
    expect(damaged).toMatchObject({ status: REFUSED, stderr: expect.stringContaining('error: TOKEN_UNKNOWN') });
    expect(damaged.stderr).not.toContain('hunter2');
    await expectAlone('east', 'west');
  });

  it('a token is good for one join', async () => {
    const { token, id } = await newToken('clustermesh', 'token', 'create');
    expect(await connectByToken(token)).toMatchObject({ status: 0, stdout: 'west and east are connected\n' });
    await refused(connectByToken(token), 'TOKEN_USED', id, /was already used at/);
    for (const name of ['east', 'west']) {
      const waited = await isthmus(lab(), name, ['clustermesh', 'status', '--context', name, '--wait', '--wait-duration', '30s']);
      expect(waited.stdout).toContain('1 of 1 remote clusters ready');
    }
  });

  it("a cluster of another one's name cannot take its place, whatever its id and whoever asks, and leaves nothing", async () => {
    const { control } = cluster('north');
    const before = await Promise.all(['east', 'west'].map(joined));
    await lab().processes.stop('north/apiserver');
    const pki = join(control.data, 'second-west');
    const made = await isthmus(lab(), 'north', [
      'cluster',
      'init',
      '--dir',
      pki,
      '--cluster-name',
      'west',
      '--ips',
      control.addresses.ipv4,
    ]);
    expect(made.status).toBe(0);
    const config = join(control.data, 'config/second-west');
    cpSync(join(control.data, 'config/apiserver'), config, { recursive: true });
    const settings = { 'cluster-name': 'west', 'cluster-id': '2', 'pki-dir': pki, 'cluster-pool-ipv4-cidr': '10.9.0.0/16' };
    for (const [key, value] of Object.entries(settings)) writeFileSync(join(config, key), value);
    lab().processes.start({ id: 'north/second-west', place: control, argv: appCommand('clustermesh-apiserver', '--config-dir', config) });
    const credential = ['--cert', join(pki, 'clients/admin-west.crt'), '--key', join(pki, 'clients/admin-west.key')];
    await isthmus(lab(), 'north', [
      'context',
      'set',
      'second-west',
      '--endpoint',
      endpoint('north'),
      '--ca',
      join(pki, 'ca/ca.crt'),
      ...credential,
    ]);
    const connectSecond = (to: string): Promise<CommandResult> =>
      isthmus(lab(), 'north', ['clustermesh', 'connect', '--context', 'second-west', '--destination-context', to]);
    const refusedBothWays = async (other: string, code: string, message: RegExp): Promise<void> => {
      await refused(connect(other, 'second-west'), code, 'west', message);
      await refused(connectSecond(other), code, 'west', message);
    };
    await answers('second-west', 'cluster west (id 2)');
    await refusedBothWays('west', 'JOIN_OWN_NAME', /both clusters are named west/);
    await refusedBothWays('east', 'JOIN_NAME_TAKEN', /west is connected under another CA/);
    await lab().processes.stop('north/second-west');
    writeFileSync(join(config, 'cluster-id'), '9');
    startAgain(lab(), 'north/second-west', control);
    await answers('second-west', 'cluster west (id 9)');
    await refusedBothWays('west', 'JOIN_OWN_NAME', /both clusters are named west/);
    await refusedBothWays('east', 'JOIN_NAME_TAKEN', /west is connected with cluster-id 2; this one has 9/);
    expect(await Promise.all(['east', 'west'].map(joined))).toEqual(before);
    await expectAlone('north');
    const status = await isthmus(lab(), 'east', ['clustermesh', 'status', '--context', 'east']);
    expect(status.stdout).toContain('1 of 1 remote clusters ready');
  });
}
