import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RemoteStatus } from '@isthmus/crypto';
import { type ContextFolder, contextFolder } from '../testing/context-folder.ts';
import { FakeCli } from '../testing/fake-cli.ts';
import { FakeJoinApi } from '../testing/fake-join-api.ts';

const TOKEN = `isth1.${'0'.repeat(16)}.${'s'.repeat(43)}.${'a'.repeat(64)}`;

let folder: ContextFolder;
let cli: FakeCli;
let west: FakeJoinApi;
let east: FakeJoinApi;
let north: FakeJoinApi;

beforeAll(async () => {
  folder = await contextFolder('west', 'east', 'north');
});

afterAll(() => folder.remove());

beforeEach(() => {
  cli = new FakeCli();
  cli.env['ISTHMUS_CONFIG'] = folder.config;
  [west, east, north] = [new FakeJoinApi('west', 1), new FakeJoinApi('east', 2), new FakeJoinApi('north', 3)];
  for (const api of [west, east, north]) cli.joinApis.set(api.endpoint, api);
});

describe('connect', () => {
  it('joins a cluster with each of the others, with the certificates of their contexts', async () => {
    expect(
      await cli.run('clustermesh', 'connect', '--context', 'west', '--destination-context', 'east', '--destination-context', 'north'),
    ).toBe(0);
    expect(cli.out).toBe('west and east are connected\nwest and north are connected\n');
    expect([[...west.peers], [...east.peers], [...north.peers]]).toEqual([['east', 'north'], ['west'], ['west']]);
    expect(cli.joinOptions.find(({ endpoint }) => endpoint === east.endpoint)).toMatchObject({
      trust: { caBundle: await folder.read('east/ca/ca.crt') },
      credential: { certPem: await folder.read('east/clients/admin-east.crt') },
    });
  });

  it('says when it only renewed', async () => {
    west.peers.add('east');
    expect(await cli.run('clustermesh', 'connect', '--destination-context', 'east', '-o', 'json')).toBe(0);
    expect(JSON.parse(cli.out)).toEqual([{ first: 'west', second: 'east', isNew: false }]);
  });

  it.each([
    ['an argument', ['--token', TOKEN], {}, ''],
    ['the environment', [], { ISTHMUS_TOKEN: ` ${TOKEN}\n` }, ''],
    ['standard input', ['--token-file', '-'], {}, `${TOKEN}\n`],
  ])('takes a token from %s and believes only its pin', async (_, words, env, input) => {
    Object.assign(cli.env, env);
    cli.input = input;
    expect(await cli.run('clustermesh', 'connect', '--destination-endpoint', 'east.test:4280', ...words)).toBe(0);
    expect(cli.joinOptions[1]).toEqual({
      endpoint: 'https://east.test:4280',
      trust: { pin: 'a'.repeat(64) },
      credential: { token: TOKEN },
    });
  });

  it('takes a token from a file', async () => {
    const file = join(folder.dir, 'token');
    await writeFile(file, `${TOKEN}\n`);
    expect(await cli.run('clustermesh', 'connect', '--destination-endpoint', 'east.test:4280', '--token-file', file)).toBe(0);
    expect([...east.peers]).toEqual(['west']);
  });

  it('says what is missing, and never repeats a bad token', async () => {
    expect(await cli.run('clustermesh', 'connect')).toBe(2);
    expect(cli.err).toContain('--destination-context');
    expect(await cli.run('clustermesh', 'connect', '--destination-endpoint', 'east.test:4280')).toBe(2);
    expect(cli.err).toContain('what to do: Make one with "isthmus clustermesh token create"');
    expect(await cli.run('clustermesh', 'connect', '--destination-endpoint', 'east.test:4280', '--token', 'isth1.hunter2')).toBe(4);
    expect(cli.err).toContain('TOKEN_UNKNOWN');
    expect(cli.err).not.toContain('hunter2');
    expect(await cli.run('clustermesh', 'connect', '--destination-endpoint', 'east', '--token', TOKEN)).toBe(2);
    expect(cli.err).toContain('Write it as host:port.');
  });

  it('ends with the status of the refusal', async () => {
    east.down = true;
    expect(await cli.run('clustermesh', 'connect', '--destination-context', 'east')).toBe(3);
    expect(cli.err).toBe(
      'error: JOIN_API_UNREACHABLE https://east.test:4280: no answer (ECONNREFUSED)\n' +
        "  what to do: Check the address and that the cluster's clustermesh-apiserver runs.\n",
    );
    expect(await cli.run('clustermesh', 'connect', '--destination-context', 'south')).toBe(5);
    expect(cli.err).toContain('CLI_CONTEXT_UNKNOWN south: no context has this name; there are west, east, north');
  });
});

describe('disconnect', () => {
  beforeEach(() => {
    west.peers.add('east');
    east.peers.add('west');
  });

  it('parts both sides', async () => {
    expect(await cli.run('clustermesh', 'disconnect', '--context', 'west', '--destination-context', 'east')).toBe(0);
    expect(cli.out).toBe('west has let go of east\neast has let go of west\n');
    expect([west.peers.size, east.peers.size]).toEqual([0, 0]);
    expect(await cli.run('clustermesh', 'disconnect', '--destination-context', 'east')).toBe(5);
  });

  it('finishes what was half done', async () => {
    west.peers.clear();
    expect(await cli.run('clustermesh', 'disconnect', '--destination-context', 'east')).toBe(0);
    expect(cli.out).toBe('east has let go of west\nwest had no connection to east\n');
  });

  it('changes nothing when one side cannot be reached, unless forced, and then says what is left', async () => {
    east.down = true;
    expect(await cli.run('clustermesh', 'disconnect', '--destination-context', 'east')).toBe(3);
    expect([...west.peers]).toEqual(['east']);
    expect(await cli.run('clustermesh', 'disconnect', '--destination-context', 'east', '--force')).toBe(0);
    expect(west.peers.size).toBe(0);
    expect(cli.err).toContain('warning: CLI_ONE_SIDE_LEFT east: east may still have west configured');
    expect(cli.err).toContain('--destination-cluster west');
    west.down = true;
    expect(await cli.run('clustermesh', 'disconnect', '--destination-context', 'east', '--force')).toBe(3);
  });

  it('parts on this side alone by name', async () => {
    expect(await cli.run('clustermesh', 'disconnect', '--destination-cluster', 'east')).toBe(0);
    expect([west.peers.size, east.calls]).toEqual([0, []]);
    expect(await cli.run('clustermesh', 'disconnect', '--destination-cluster', 'east')).toBe(5);
  });
});

describe('status', () => {
  const ready: RemoteStatus = {
    name: 'east',
    id: 2,
    ready: true,
    state: 'ready',
    config: { id: 2, maxConnectedClusters: 255 },
    heartbeatAgeSeconds: 12,
    counts: { nodes: 2, services: 1 },
    synced: { nodes: true, services: true },
  };
  const problem = { code: 'MESH_CONFIG_MISSING', message: 'east has published no configuration', action: 'Check east.' };
  const syncing: RemoteStatus = { name: 'east', id: 2, ready: false, state: 'fetching-config', problem };

  beforeEach(() => void west.peers.add('east'));

  it('shows each remote', async () => {
    west.statuses = [[ready]];
    expect(await cli.run('clustermesh', 'status')).toBe(0);
    expect(cli.out).toBe(
      'cluster west (id 1): 1 of 1 remote clusters ready\n' +
        'CLUSTER   ID   STATE   CONFIG        HEARTBEAT   SYNCED   OURS THERE   THEIRS HERE   RECORDS\n' +
        'east      2    ready   mesh of 255   12s ago     2/2      -            -             2 nodes, 1 services\n',
    );
  });

  it('shows how a remote encapsulates packets, where it says so', async () => {
    west.statuses = [[{ ...ready, config: { id: 2, maxConnectedClusters: 255, tunnelProtocol: 'geneve' } }]];
    await cli.run('clustermesh', 'status');
    expect(cli.out).toContain('mesh of 255, geneve');
  });

  it('says what is wrong, what to do, and that it is not ready', async () => {
    west.statuses = [[syncing]];
    expect(await cli.run('clustermesh', 'status')).toBe(3);
    expect(cli.out).toContain('east: MESH_CONFIG_MISSING: east has published no configuration\n  what to do: Check east.\n');
    expect(await cli.run('clustermesh', 'status', '-o', 'json')).toBe(3);
    expect(JSON.parse(cli.out)).toEqual({
      cluster: { name: 'west', id: 1 },
      ready: false,
      remotes: [syncing],
      certificates: [],
      refused: [],
    });
  });

  it('shows how long each certificate is good, whom this cluster refuses, and what to do', async () => {
    const now = cli.clock.wall();
    const made = (name: string, use: string, days: number, state = 'good') => {
      const notAfter = new Date(now + days * 86_400_000).toISOString();
      return { name, use, serial: '4a', issuer: 'ca', notBefore: new Date(now).toISOString(), notAfter, state };
    };
    const refusal = { code: 'CERTIFICATE_REVOKED', message: 'remote-east was revoked here', action: 'Connect anew.' };
    const late = { code: 'CERTIFICATE_RENEWAL', message: 'root is not renewed', action: 'Free the disk.' };
    west.statuses = [
      [
        {
          ...ready,
          certificateThere: made('remote-west', 'at east', 200),
          certificateHere: { ...made('remote-east', 'here', 100, 'revoked'), problem: refusal },
        },
      ],
    ];
    west.known = {
      certificates: [made('isthmus-ca-west', 'CA', 3650), { ...made('root', 'root', -3, 'expired'), problem: late }],
      refused: [{ name: 'remote-east', problem: refusal, at: new Date(now - 30_000).toISOString(), times: 4 }],
    };
    expect(await cli.run('clustermesh', 'status')).toBe(0);
    expect(cli.out).toContain('2/2      200d         revoked, 100d   2 nodes');
    expect(cli.out).toContain(
      'certificate of east here: CERTIFICATE_REVOKED: remote-east was revoked here\n  what to do: Connect anew.\n' +
        '\nCERTIFICATE       FOR    EXPIRES IN\nisthmus-ca-west   CA     3650d\nroot              root   expired 3d ago\n' +
        'root: CERTIFICATE_RENEWAL: root is not renewed\n  what to do: Free the disk.\n' +
        'refused here: a caller with a certificate for remote-east, 4 times, last 30s ago: CERTIFICATE_REVOKED: remote-east was revoked here\n',
    );
  });

  it('says why it cannot be read, and what of it is not taken, with nothing in it that moves the cursor', async () => {
    const dropped = [
      { kind: 'ips', reason: 'foreign-identity', count: 3, last: '10.2.0.1\u001b[2J', detail: '' },
      { kind: 'nodes', reason: 'foreign-network', count: 1, last: 'n1', detail: '10.1.0.0/24: it overlaps 10.1.0.0/16 of west' },
    ];
    west.statuses = [[{ ...ready, dropped, problem: { ...problem, cause: 'connect: ECONNREFUSED' } }]];
    expect(await cli.run('clustermesh', 'status')).toBe(0);
    expect(cli.out).toContain('east: MESH_CONFIG_MISSING: east has published no configuration: connect: ECONNREFUSED\n');
    expect(cli.out).toContain('east: 3 times a record of ips was not taken: foreign-identity; last "10.2.0.1\\u001b[2J"\n');
    expect(cli.out).toContain('foreign-network; last "n1" ("10.1.0.0/24: it overlaps 10.1.0.0/16 of west")\n');
  });

  it('waits until all are ready, also for one that is not in the list yet', async () => {
    west.statuses = [[], [syncing], [ready]];
    expect(await cli.run('clustermesh', 'status', '--wait', '--wait-duration', '5s')).toBe(0);
    expect(west.calls.filter((call) => call === 'remotes')).toHaveLength(3);
    expect(cli.out).toContain('1 of 1');
  });

  it('gives up in time and shows what it saw', async () => {
    west.statuses = [[syncing]];
    expect(await cli.run('clustermesh', 'status', '--wait', '--wait-duration', '5s')).toBe(3);
    expect(cli.clock.now()).toBe(5000);
    expect(cli.out).toContain('0 of 1');
    expect(cli.err).toContain('CLI_NOT_READY: still waiting for east');
  });

  it('waits for a cluster whose join API is being started', async () => {
    west.statuses = [[ready]];
    west.downFor = 3;
    expect(await cli.run('clustermesh', 'status', '--wait', '--wait-duration', '1m')).toBe(0);
    west.downFor = 1;
    expect(await cli.run('clustermesh', 'status')).toBe(3);
  });
});

describe('revoke', () => {
  it('withdraws the access of a connected cluster, and warns when open connections go on', async () => {
    west.peers.add('east');
    expect(await cli.run('clustermesh', 'revoke', 'east')).toBe(0);
    expect([cli.out, cli.err]).toEqual(['east may not read this cluster any more: 1 certificates are revoked\n', '']);
    west.connectionsEnded = null;
    expect(await cli.run('clustermesh', 'revoke', 'east', '--context', 'west')).toBe(0);
    expect(cli.err).toContain('go on reading\n  what to do: Restart the mesh etcd now.');
    expect(await cli.run('clustermesh', 'revoke', 'north')).toBe(5);
  });
});

describe('tokens', () => {
  it('are printed alone, with what to do beside them', async () => {
    expect(await cli.run('clustermesh', 'token', 'create', '--context', 'east')).toBe(0);
    expect(cli.out).toBe(`${TOKEN}\n`);
    expect(cli.err).toContain('isthmus clustermesh connect --destination-endpoint east.test:4280 --token-file -');
    expect(cli.err).not.toContain(TOKEN);
    expect(east.tokens).toEqual([{ kind: 'cluster' }]);
  });

  it('live as long as they are told to, from a second to a day', async () => {
    expect(await cli.run('clustermesh', 'token', 'create', '--context', 'east', '--ttl', '90s')).toBe(0);
    expect(east.tokens).toEqual([{ kind: 'cluster', ttlSeconds: 90 }]);
    for (const ttl of ['0s', '25h', 'soon'])
      expect(await cli.run('clustermesh', 'token', 'create', '--context', 'east', '--ttl', ttl)).toBe(2);
  });

  it('for a node name it', async () => {
    expect(await cli.run('node', 'token', 'create', 'n1', '-o', 'json')).toBe(0);
    expect(JSON.parse(cli.out)).toMatchObject({ token: TOKEN });
    expect(west.tokens).toEqual([{ kind: 'node', subject: 'n1' }]);
  });
});
