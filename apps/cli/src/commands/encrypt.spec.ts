import { CodedError } from '@isthmus/core';
import { newTarget } from '@isthmus/crypto';
import { encodeWireGuard, KvWireGuardTargets, wireGuardKey } from '@isthmus/mesh';
import { CLI_AGENT_DOWN } from '../cli.errors.ts';
import { FakeCli } from '../testing/fake-cli.ts';

const WEST = { cluster: 'west', clusterId: 2 };
const PEER = {
  name: 'east/n1',
  tx: 'odd',
  epoch: 7,
  handshakeAgeSeconds: 45,
  receivedBytes: 2_000_000,
  sentBytes: 900,
  pq: true,
  state: 'encrypted',
};
const MESH = {
  target: 7,
  targetSince: '2026-01-01T00:00:00Z',
  nodes: 3,
  atTarget: 3,
  laggards: [] as string[],
  withoutKeys: [] as string[],
  blockedBy: [] as string[],
  clusters: [{ cluster: 'west', target: 5, startedAt: '2025-12-31T00:00:00Z', by: 'operator', reason: 'schedule' }],
};
const ON = {
  enabled: true,
  node: 'west/n1',
  strict: true,
  encryptNode: true,
  pq: 'preferred',
  implementation: 'kernel',
  exempt: [{ protocol: 'tcp', ports: [2379, 2380], what: 'etcd' }],
  devices: [
    { name: 'isth_wg_even', device: 'even', port: 51871, epoch: null, fingerprint: '' },
    { name: 'isth_wg_odd', device: 'odd', port: 51872, epoch: 7, fingerprint: '0123456789abcdef' },
  ],
  peers: [PEER, { ...PEER, name: 'east/n2', receivedBytes: 0, pq: false }],
  mesh: MESH,
};
const DOWN = new CodedError(CLI_AGENT_DOWN, 'there is no socket');
const ETCD = ['--etcd-config', '/etc/etcd.yaml'];

let cli: FakeCli;
let targets: KvWireGuardTargets;

/** What the agent answers from now on. */
const answer = (fields: object, mesh: object = {}): void => {
  cli.agent.answers['/v1/encryption'] = { ...ON, ...fields, mesh: { ...MESH, ...mesh } };
};
const publish = async (epoch: number, ...names: string[]): Promise<void> => {
  const epochs = [{ epoch, publicKey: Buffer.alloc(32, 1).toString('base64'), port: 51_871 + (epoch % 2) }];
  for (const name of names)
    await cli.etcd.connect().put(wireGuardKey('west', name), encodeWireGuard({ ...WEST, name, epochs, minTx: epoch, laggards: [] }));
};
const target = async (): Promise<number | undefined> => (await targets.read())?.target;

beforeEach(async () => {
  cli = new FakeCli();
  targets = new KvWireGuardTargets(cli.etcd.connect(), 'west');
  await targets.raise(undefined, newTarget(WEST, { target: 5, by: 'operator', reason: 'schedule' }, cli.clock.wall()));
  cli.clock.advance(60_000);
  cli.agent.answers['/v1/config'] = { 'wireguard-drain': 10 };
  answer({});
});

describe('encrypt status', () => {
  it('shows the mesh, devices and nodes', async () => {
    expect(await cli.run('encrypt', 'status')).toBe(0);
    expect(cli.out).toBe(
      'encryption     on, strict: what cannot be encrypted is dropped\n' +
        "node           west/n1, the kernel's WireGuard\n" +
        "nodes' own     encrypted, too\n" +
        'in the clear   tcp 2379,2380: etcd\n' +
        'target         epoch 7, for 60s\n' +
        'nodes          3 of 3 at the target\n' +
        'preshared      keys where both nodes agree on one\n' +
        '\n' +
        'DEVICE         EPOCHS   PORT    EPOCH   KEY\n' +
        'isth_wg_even   even     51871   -       -\n' +
        'isth_wg_odd    odd      51872   7       0123456789abcdef\n' +
        '\n' +
        'NODE      SENDS BY   EPOCH   HANDSHAKE   RECEIVED   SENT    PQ    STATE\n' +
        'east/n1   odd        7       45s ago     1.9 MiB    900 B   yes   encrypted\n' +
        'east/n2   odd        7       45s ago     0 B        900 B   no    encrypted\n',
    );
  });

  it('says what may leak, who is behind, and what is wrong', async () => {
    const closed = { ...PEER, tx: 'closed', epoch: null, handshakeAgeSeconds: null, state: 'closed' };
    answer(
      { strict: false, encryptNode: false, problem: 'no device\u001b[2J', peers: [closed] },
      { atTarget: 1, laggards: ['east/n1', 'east/n2'], withoutKeys: ['east/n2'], blockedBy: ['cilium/n1', 'cilium/n2'] },
    );
    expect(await cli.run('encrypt', 'status')).toBe(3);
    expect(cli.out).toContain('encryption   on, not strict: to a node without keys packets go as they are, and plain ones are taken\n');
    expect(cli.out).toContain("nodes' own   not encrypted\ntarget       epoch 7");
    expect(cli.out).toContain(
      'nodes        1 of 3 at the target\npreshared    keys where both nodes agree on one\nbehind       east/n1, east/n2\nno keys      east/n2\nrotation     blocked by cilium/n1, cilium/n2\nproblem      no device?[2J\n',
    );
    expect(cli.out).toContain('east/n1   -          -       -           1.9 MiB    900 B   yes   closed\n');
  });

  it('does not mind a node that is left out', async () => {
    answer({ peers: [PEER, { ...PEER, state: 'excluded' }] });
    expect(await cli.run('encrypt', 'status')).toBe(0);
  });

  it('says why a preshared key could not be agreed on', async () => {
    answer({ pq: 'required', peers: [{ ...PEER, state: 'preshared-key', pqProblem: 'no answer\u001b[2J' }] });
    expect(await cli.run('encrypt', 'status')).toBe(3);
    expect(cli.out).toContain('preshared      keys with every node, or nothing is sent to it\nno preshared   east/n1: no answer?[2J\n');
  });

  it.each(['closed', 'preshared-key', 'handshake', 'no-keys'])('ends with 3 while a node is %s', async (state) => {
    answer({ peers: [PEER, { ...PEER, state }] });
    expect(await cli.run('encrypt', 'status', '-o', 'json')).toBe(3);
  });

  it('says that it is off, and how to turn it on', async () => {
    answer({ enabled: false, strict: false, implementation: '', devices: [], peers: [] });
    expect(await cli.run('encrypt', 'status')).toBe(0);
    expect(cli.out).toContain('encryption is off: ');
    expect(cli.out).toContain('enable-wireguard: true');
  });

  it('never shows a key, whatever an agent answers', async () => {
    answer({ privateKey: 'SECRET', devices: [{ ...ON.devices[1], privateKey: 'SECRET' }], peers: [{ ...PEER, presharedKey: 'SECRET' }] });
    for (const output of ['json', 'table']) {
      expect(await cli.run('encrypt', 'status', '-o', output)).toBe(0);
      expect(cli.out).toContain('0123456789abcdef');
      expect(cli.out).not.toContain('SECRET');
    }
    await cli.run('encrypt', 'status', '-o', 'json');
    answer({});
    expect(JSON.parse(cli.out)).toMatchObject({ enabled: true, mesh: MESH });
  });

  it('ends with the status of what went wrong', async () => {
    cli.agent.answers['/v1/encryption'] = DOWN;
    expect(await cli.run('encrypt', 'status')).toBe(3);
    answer({ implementation: 'other' });
    expect(await cli.run('encrypt', 'status')).toBe(1);
    expect(cli.err).toContain('CLI_AGENT_ANSWER /v1/encryption: /v1/encryption: implementation');
  });
});

describe('encrypt rotate', () => {
  it('raises the cluster’s target to one above the mesh’s, and writes down who asked and why', async () => {
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '--reason', 'a node was stolen')).toBe(0);
    expect(cli.out).toBe('the mesh changes to keys of epoch 8\nTo see how far it is: isthmus encrypt status\n');
    expect(await targets.read()).toEqual({
      ...WEST,
      target: 8,
      startedAt: '2026-01-01T00:01:00Z',
      by: 'admin-west',
      reason: 'a node was stolen',
    });
    expect((await targets.history())[0]).toMatchObject({ by: 'admin-west', target: 8, reason: 'a node was stolen' });
  });

  it('tells programs what it wrote', async () => {
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '-o', 'json')).toBe(0);
    expect(JSON.parse(cli.out)).toMatchObject({ cluster: 'west', target: 8, by: 'admin-west', reason: '' });
  });

  it('goes to a later epoch when it is told one, not back, and not too far', async () => {
    for (const to of ['7', '65544']) {
      expect(await cli.run('encrypt', 'rotate', ...ETCD, '--to', to)).toBe(2);
      expect(cli.err).toContain(`--to ${to}: the mesh is at epoch 7`);
    }
    for (const to of ['0', '1.5', 'x']) expect(await cli.run('encrypt', 'rotate', ...ETCD, '--to', to)).toBe(2);
    expect(await target()).toBe(5);
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '--to', '42')).toBe(0);
    expect([cli.out.split('\n')[0], await target()]).toEqual(['the mesh changes to keys of epoch 42', 42]);
  });

  it('is refused while a node is behind, and names it', async () => {
    answer({}, { atTarget: 2, laggards: ['east/n2'], withoutKeys: ['east/n3'] });
    expect(await cli.run('encrypt', 'rotate', ...ETCD)).toBe(3);
    expect(cli.err).toContain('error: WIREGUARD_ROTATION_WAITS epoch 7: east/n2, east/n3: not at epoch 7 yet\n');
    answer({}, { withoutKeys: ['east/n3'] });
    expect(await cli.run('encrypt', 'rotate', ...ETCD)).toBe(3);
    expect(await target()).toBe(5);
  });

  it('goes on without nodes that are behind when it is forced, and says what becomes of them', async () => {
    answer({}, { atTarget: 2, laggards: ['east/n2\u001b'], withoutKeys: ['east/n3'] });
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '--force')).toBe(0);
    expect(await target()).toBe(8);
    expect(cli.out).toBe('the mesh changes to keys of epoch 8\nTo see how far it is: isthmus encrypt status\n');
    expect(cli.err).toContain('warning: east/n2?, east/n3: not at epoch 7 yet\n  what becomes of them: ');
    expect(cli.err).toContain('wireguard-max-overlap');
  });

  it('is refused while a node knows of no epochs, and says what it costs when it is forced', async () => {
    answer({}, { blockedBy: ['cilium/n1\u001b'] });
    expect(await cli.run('encrypt', 'rotate', ...ETCD)).toBe(3);
    expect(cli.err).toContain('error: WIREGUARD_ROTATION_BLOCKED epoch 7: rotation blocked by cilium/n1');
    expect(await target()).toBe(5);
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '--force')).toBe(0);
    expect(cli.err).toBe(
      'warning: rotation blocked by cilium/n1?\n' +
        '  what it costs: nothing is sent to them, and nothing comes from them, until they have read the new even keys\n',
    );
    cli.clock.advance(60_000);
    answer({}, { target: 8, blockedBy: ['cilium/n1'] });
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '--force')).toBe(0);
    expect(cli.err).toContain('  what it costs: nothing now');
    expect(await target()).toBe(9);
  });

  it('asks the cluster’s own nodes of those that know of no epochs when there is no agent', async () => {
    cli.agent.answers['/v1/encryption'] = DOWN;
    const epochs = [{ epoch: 6, publicKey: Buffer.alloc(32, 1).toString('base64'), port: 51_871 }];
    const record = { ...WEST, name: 'n1', epochs, minTx: 6, laggards: [], blockedBy: ['cilium/n1'] };
    await cli.etcd.connect().put(wireGuardKey('west', 'n1'), encodeWireGuard(record));
    expect(await cli.run('encrypt', 'rotate', ...ETCD)).toBe(3);
    expect(cli.err).toContain('WIREGUARD_ROTATION_BLOCKED epoch 6: rotation blocked by cilium/n1');
  });

  it('warns of nobody when it is forced without need, and is refused all the same a moment after the last change', async () => {
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '--force')).toBe(0);
    expect(cli.err).toBe('');
    answer({}, { target: 8, atTarget: 0, laggards: ['east/n1', 'east/n2', 'west/n1'] });
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '--force')).toBe(3);
    expect(cli.err).toContain('CLI_ROTATION_TOO_SOON');
    expect(await target()).toBe(8);
  });

  it('goes one above the cluster’s own target when it is forced and the agent has not heard of that', async () => {
    answer({}, { target: 4 });
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '--force')).toBe(0);
    expect(await target()).toBe(6);
    expect(cli.err).toContain('some nodes: not at epoch 5 yet');
  });

  it('is refused when the agent has not heard of the last change', async () => {
    answer({}, { target: 4 });
    expect(await cli.run('encrypt', 'rotate', ...ETCD)).toBe(3);
    expect(cli.err).toContain('WIREGUARD_ROTATION_WAITS epoch 5: ');
    expect(await target()).toBe(5);
  });

  it.each([
    ['the cluster', '2025-12-31T00:00:00Z', 11_000],
    ['another one', '2026-01-01T00:00:50Z', 60_000],
  ])('is refused when %s has changed keys a moment ago, drain and two seconds', async (_who, targetSince, at) => {
    cli = new FakeCli();
    targets = new KvWireGuardTargets(cli.etcd.connect(), 'west');
    await targets.raise(undefined, newTarget(WEST, { target: 5, by: '', reason: '' }, cli.clock.wall()));
    cli.agent.answers['/v1/config'] = { 'wireguard-drain': 10 };
    answer({}, { targetSince });
    cli.clock.advance(at);
    expect(await cli.run('encrypt', 'rotate', ...ETCD)).toBe(3);
    expect(cli.err).toContain('CLI_ROTATION_TOO_SOON');
    cli.clock.advance(3_000);
    expect(await cli.run('encrypt', 'rotate', ...ETCD)).toBe(0);
  });

  it.each([
    ['cannot be asked', DOWN],
    ['is of another mesh', { ...ON, mesh: { ...MESH, clusters: [] } }],
    ['does not encrypt', { ...ON, enabled: false }],
  ])('goes by the cluster’s own nodes when the agent %s', async (_why, prepared) => {
    cli.agent.answers['/v1/encryption'] = prepared;
    await publish(6, 'n1');
    await publish(5, 'n2');
    expect(await cli.run('encrypt', 'rotate', ...ETCD)).toBe(3);
    expect(cli.err).toContain('n2: not at epoch 6 yet');
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '--force')).toBe(0);
    expect(cli.err).toContain('n2: not at epoch 6 yet');
    cli.clock.advance(60_000);
    await publish(7, 'n1', 'n2');
    expect(await cli.run('encrypt', 'rotate', ...ETCD)).toBe(0);
    expect(await target()).toBe(8);
  });

  it('raises by one when the operator does so at the same time', async () => {
    const config = cli.agent.answers['/v1/config'];
    let raised: boolean | undefined;
    // After the target was read, before it is written.
    cli.agent.answers['/v1/config'] = async () => {
      raised = await targets.raise(await targets.read(), newTarget(WEST, { target: 8, by: 'operator', reason: 'schedule' }, 0));
      return config;
    };
    expect(await cli.run('encrypt', 'rotate', ...ETCD)).toBe(3);
    expect(cli.err).toContain('WIREGUARD_ROTATION_WAITS epoch 8');
    expect([raised, await target()]).toEqual([true, 8]);
  });

  it('waits until all nodes have the new keys, and tells how far they are', async () => {
    const seen = [MESH, MESH, { ...MESH, target: 8, atTarget: 1, laggards: ['east/n1', 'east/n2'] }, DOWN, { ...MESH, target: 8 }];
    cli.agent.answers['/v1/encryption'] = () => {
      const next = seen.shift();
      return next instanceof Error ? next : { ...ON, mesh: next ?? { ...MESH, target: 8 } };
    };
    // Once before, and once to decide.
    seen.unshift(MESH);
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '--wait')).toBe(0);
    expect(cli.out).toBe(
      'the mesh changes to keys of epoch 8\n0 of 3 nodes at epoch 8\n1 of 3 nodes at epoch 8\n3 of 3 nodes at epoch 8\n',
    );
  });

  it('names who is missing when time is over', async () => {
    let asked = 0;
    cli.agent.answers['/v1/encryption'] = () => ({
      ...ON,
      mesh: ++asked <= 2 ? MESH : { ...MESH, target: 8, atTarget: 2, laggards: ['east/n2'] },
    });
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '--wait', '--wait-duration', '5s')).toBe(3);
    expect(cli.err).toContain('CLI_NOT_READY: still waiting for east/n2');
  });

  it('changes nothing when it is to wait and there is no agent to ask', async () => {
    cli.agent.answers['/v1/encryption'] = DOWN;
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '--wait')).toBe(3);
    expect(await target()).toBe(5);
  });

  it('needs a cluster that encrypts, and a reason of one line', async () => {
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '--reason', 'a\nb')).toBe(2);
    expect(await cli.run('encrypt', 'rotate', ...ETCD, '--reason', 'a'.repeat(201))).toBe(2);
    await cli.etcd.connect().deletePrefix('');
    expect(await cli.run('encrypt', 'rotate', ...ETCD)).toBe(1);
    expect(cli.err).toContain('CLI_ENCRYPTION_OFF');
  });

  it('takes no etcd that has targets of two clusters', async () => {
    const other = new KvWireGuardTargets(cli.etcd.connect(), 'old');
    await other.raise(undefined, newTarget({ cluster: 'old', clusterId: 2 }, { target: 1, by: '', reason: '' }, 0));
    expect(await cli.run('encrypt', 'rotate', ...ETCD)).toBe(1);
    expect(cli.err).toContain('WIREGUARD_TARGET cilium/state/isthmus/wireguard-target/v1/: there are targets of old and west');
  });
});

describe('encrypt history', () => {
  it('shows who asked for what, the newest first', async () => {
    await cli.run('encrypt', 'rotate', ...ETCD);
    expect(await cli.run('encrypt', 'history', ...ETCD)).toBe(0);
    expect(cli.out).toBe(
      'WHEN                   WHO          WHAT       WHY\n' +
        '2026-01-01T00:01:00Z   admin-west   target 8   -\n' +
        '2026-01-01T00:00:00Z   operator     target 5   schedule\n',
    );
    await cli.run('encrypt', 'history', ...ETCD, '-o', 'json');
    expect(JSON.parse(cli.out)).toMatchObject({
      changes: [{ target: 8 }, { at: '2026-01-01T00:00:00Z', by: 'operator', target: 5, reason: 'schedule' }],
    });
  });

  it('shows the keys that this node has had, where there is an agent', async () => {
    const keys = [
      { epoch: 7, fingerprint: '0123456789abcdef', madeAt: '2026-01-01T00:00:00Z', goneAt: null },
      { epoch: 6, fingerprint: 'fedcba9876543210', madeAt: '2025-12-31T00:00:00Z', goneAt: '2026-01-01T00:00:05Z', privateKey: 'SECRET' },
    ];
    answer({ keys });
    expect(await cli.run('encrypt', 'history', ...ETCD)).toBe(0);
    expect(cli.out.split('\n').slice(-4)).toEqual([
      'EPOCH OF west/n1   KEY                MADE                   GONE',
      '7                  0123456789abcdef   2026-01-01T00:00:00Z   -',
      '6                  fedcba9876543210   2025-12-31T00:00:00Z   2026-01-01T00:00:05Z',
      '',
    ]);
    await cli.run('encrypt', 'history', ...ETCD, '-o', 'json');
    expect(JSON.parse(cli.out)).toMatchObject({ node: 'west/n1', keys: [{ epoch: 7 }, { epoch: 6 }] });
    expect(cli.out).not.toContain('SECRET');
    cli.agent.answers['/v1/encryption'] = DOWN;
    expect(await cli.run('encrypt', 'history', ...ETCD)).toBe(0);
    expect(cli.out).not.toContain('EPOCH');
  });

  it('needs a context, as apply does', async () => {
    cli.env['ISTHMUS_CONFIG'] = '/nowhere/config';
    expect(await cli.run('encrypt', 'history')).toBe(1);
    expect(cli.err).toContain('CLI_CONTEXT_NONE');
  });
});
