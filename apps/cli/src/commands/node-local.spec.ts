import { CodedError } from '@isthmus/core';
import { CLI_AGENT_DOWN } from '../cli.errors.ts';
import { FakeCli } from '../testing/fake-cli.ts';

const STATUS = {
  cluster: 'west',
  clusterId: 1,
  node: 'n1',
  ready: true,
  uptimeSeconds: 75,
  podCidrs: ['10.1.0.0/24'],
  connections: { 'cluster etcd': { connected: true }, 'mesh etcd': { connected: false, error: 'no route' } },
  tables: { endpoints: 2 },
  sinks: { count: 9, behind: [], failing: [] },
  remoteClusters: [{ name: 'east', id: 2, state: 'ready', ready: true, heartbeatAgeSeconds: 3, kinds: { ip: { synced: true, count: 4 } } }],
};
const WEB = {
  id: 65_601,
  cluster: 'west',
  labels: 'k8s:app=web;k8s:io.cilium.k8s.policy.cluster=west;k8s:io.kubernetes.pod.namespace=shop;',
};
const DB = { id: 131_073, cluster: 'east', labels: 'k8s:app=db;k8s:io.cilium.k8s.policy.cluster=east;' };

let cli: FakeCli;

beforeEach(() => {
  cli = new FakeCli();
  Object.assign(cli.agent.answers, {
    '/v1/status': STATUS,
    '/v1/tables/identities': [{ key: String(WEB.id), revision: 1, row: WEB }],
    '/v1/tables/remote-identities': [{ key: String(DB.id), revision: 2, row: DB }],
  });
});

describe('status', () => {
  it('shows how long each certificate is good, and what to do about one that is not renewed', async () => {
    const problem = { code: 'CERTIFICATE_RENEWAL', message: 'agent-n1 is not renewed', action: 'Start the apiserver.' };
    const certificates = [
      { name: 'agent-n1', secondsLeft: 86_400 * 40, state: 'late', problem },
      { name: 'local-west', secondsLeft: 86_400 * 240, state: 'good' },
      { name: 'old', secondsLeft: -7_200, state: 'expired' },
    ];
    cli.agent.answers['/v1/status'] = { ...STATUS, certificates };
    expect(await cli.run('status')).toBe(0);
    expect(cli.out).toMatch(/^agent-n1 +expires in 40d$/m);
    expect(cli.out).toMatch(/^local-west +expires in 240d$/m);
    expect(cli.out).toMatch(/^old +expired 2h ago$/m);
    expect(cli.out).toContain('agent-n1: CERTIFICATE_RENEWAL: agent-n1 is not renewed\n  what to do: Start the apiserver.\n');
  });

  it('shows the agent and its remotes', async () => {
    expect(await cli.run('status')).toBe(0);
    expect(cli.out).toBe(
      'node           west/n1 (cluster id 1)\n' +
        'agent          ready, up 75s\n' +
        'pod CIDRs      10.1.0.0/24\n' +
        'cluster etcd   connected\n' +
        'mesh etcd      not connected: no route\n' +
        'endpoints      2\n' +
        'sinks          9, all done\n' +
        '\nREMOTE   ID   STATE   HEARTBEAT   RECORDS\n' +
        'east     2    ready   3s ago      4 ip\n',
    );
  });

  it('says what takes packets to other nodes', async () => {
    const tunnel = { protocol: 'geneve', port: 6081, device: '', xdp: { eth0: 'native', eth1: 'generic' } };
    cli.agent.answers['/v1/status'] = { ...STATUS, tunnel };
    await cli.run('status');
    expect(cli.out).toContain('tunnel         geneve, UDP port 6081, by native XDP on eth0, generic XDP on eth1\n');
    cli.agent.answers['/v1/status'] = { ...STATUS, tunnel: { protocol: 'vxlan', port: 8472, device: 'isth_vxlan', xdp: {} } };
    await cli.run('status');
    expect(cli.out).toContain('tunnel         vxlan, UDP port 8472, by device isth_vxlan\n');
  });

  it('says how other nodes are reached, and how BGP does', async () => {
    const routing = { mode: 'auto', nodes: { native: 2, tunnel: 1, closed: 0 } };
    const bgp = { established: 4, sessions: 4, refusedPeers: 0, learnedRoutes: 1, refusedRoutes: 0, draining: false };
    cli.agent.answers['/v1/status'] = { ...STATUS, routing, bgp };
    await cli.run('status');
    expect(cli.out).toMatch(/^routing +auto; other nodes: 2 native, 1 tunnel$/m);
    expect(cli.out).toMatch(/^BGP +4 of 4 sessions up, 1 learned route$/m);
    const worse = { ...bgp, established: 3, refusedPeers: 1, learnedRoutes: 7, refusedRoutes: 2, draining: true };
    cli.agent.answers['/v1/status'] = { ...STATUS, routing: { mode: 'tunnel', nodes: { native: 0 } }, bgp: worse };
    await cli.run('status');
    expect(cli.out).toMatch(/^routing +tunnel; other nodes: none$/m);
    expect(cli.out).toMatch(/^BGP +3 of 4 sessions up, 7 learned routes, 2 refused, 1 peer refused, draining$/m);
    cli.agent.answers['/v1/status'] = { ...STATUS, bgp: { ...bgp, established: 0, sessions: 0 } };
    await cli.run('status');
    expect(cli.out).toMatch(/^BGP +no peers$/m);
    cli.agent.answers['/v1/status'] = { ...STATUS, bgp: { ...bgp, established: 0, sessions: 0, draining: true } };
    await cli.run('status');
    expect(cli.out).toMatch(/^BGP +no peers, draining$/m);
  });

  it('says what to do about an etcd that it cannot use', async () => {
    const problem = { code: 'KV_UNREACHABLE', object: 'https://e:2379', message: 'connect to etcd: no route', action: 'Check it.' };
    cli.agent.answers['/v1/status'] = { ...STATUS, connections: { 'cluster etcd': { connected: false, error: problem.message, problem } } };
    await cli.run('status');
    expect(cli.out).toContain('cluster etcd   not connected: KV_UNREACHABLE\n');
    expect(cli.out).toContain('\ncluster etcd: KV_UNREACHABLE: connect to etcd: no route\n  what to do: Check it.\n');
  });

  it('ends with 3 while the agent is not ready or not there', async () => {
    cli.agent.answers['/v1/status'] = { ...STATUS, ready: false, waitingFor: 'the datapath' };
    expect(await cli.run('status')).toBe(3);
    expect(cli.out).toContain('waiting for the datapath');
    cli.agent.answers['/v1/status'] = new CodedError(CLI_AGENT_DOWN, 'there is no socket', { object: '/run/x.sock' });
    expect(await cli.run('status')).toBe(3);
    expect(cli.err).toContain('error: CLI_AGENT_DOWN /run/x.sock: there is no socket\n  what to do: Check that the agent');
  });

  it('waits through a start', async () => {
    const answers = [new CodedError(CLI_AGENT_DOWN, 'there is no socket'), { ...STATUS, ready: false, waitingFor: 'etcd' }, STATUS];
    cli.agent.answers['/v1/status'] = () => answers.shift();
    expect(await cli.run('status', '--wait', '-o', 'json')).toBe(0);
    expect(JSON.parse(cli.out)).toMatchObject({ ready: true, node: 'n1' });
  });

  it('gives up waiting in time', async () => {
    cli.agent.answers['/v1/status'] = { ...STATUS, ready: false, waitingFor: 'the datapath' };
    expect(await cli.run('status', '--wait', '--wait-duration', '3s')).toBe(3);
    expect(cli.err).toContain('still waiting for the datapath');
    expect(cli.clock.now()).toBe(3000);
  });

  it('says when the agent is of another kind', async () => {
    cli.agent.answers['/v1/status'] = { cluster: 1 };
    expect(await cli.run('status')).toBe(1);
    expect(cli.err).toContain('CLI_AGENT_ANSWER /v1/status: /v1/status: cluster: ');
  });
});

describe('lists', () => {
  it('endpoints, with whether packets reach them', async () => {
    const row = {
      id: 7,
      namespace: 'shop',
      pod: 'web',
      ipv4: '10.1.0.5',
      ipv6: '',
      interfaceName: 'isth1',
      identity: WEB.id,
      labels: WEB.labels,
    };
    cli.agent.answers['/v1/tables/endpoints'] = [
      { key: '7', row },
      { key: '8', row: { ...row, id: 8, pod: 'new', identity: 0 } },
    ];
    cli.agent.answers['/v1/tables/local-addresses'] = [{ key: '10.1.0.5', row: { endpoint: 7, ready: true } }];
    expect(await cli.run('endpoint', 'list')).toBe(0);
    const [, first, second] = cli.out.split('\n');
    expect(first).toMatch(/^7 +shop\/web +ready +65601 +10\.1\.0\.5 +- +isth1 +app=web cluster=west namespace=shop$/);
    expect(second).toMatch(/^8 +shop\/new +waiting-for-identity +- /);
    await cli.run('endpoint', 'list', '-o', 'json');
    expect(JSON.parse(cli.out)[0]).toMatchObject({ id: 7, ready: true, labels: expect.arrayContaining(['k8s:app=web']) });
  });

  it('identities of all clusters', async () => {
    expect(await cli.run('identity', 'list')).toBe(0);
    expect(cli.out).toBe(
      'IDENTITY   CLUSTER   LABELS\n65601      west      app=web cluster=west namespace=shop\n131073     east      app=db cluster=east\n',
    );
  });

  it('services, with the backends of each cluster', async () => {
    const row = {
      vip: '10.101.0.5',
      port: 80,
      protocol: 'TCP',
      namespace: 'shop',
      name: 'web',
      global: true,
      affinity: 'none',
      backends: ['TCP/10.1.0.5:8080', 'TCP/10.2.0.9:8080', 'TCP/[fd00::9]:8080'],
      backendClusters: [1, 2, 9],
      idle: ['TCP/10.1.0.6:8080'],
    };
    cli.agent.answers['/v1/tables/frontends'] = [{ key: 'TCP/10.101.0.5:80', row }];
    expect(await cli.run('service', 'list')).toBe(0);
    expect(cli.out.split('\n').slice(1)).toEqual([
      'TCP/10.101.0.5:80   shop/web   global, affinity none   west        10.1.0.5:8080',
      '                                                       east        10.2.0.9:8080',
      '                                                       cluster-9   [fd00::9]:8080',
      '                                                       (idle)      10.1.0.6:8080',
      '',
    ]);
    await cli.run('service', 'list', '-o', 'json');
    expect(JSON.parse(cli.out)[0]).toMatchObject({
      frontend: 'TCP/10.101.0.5:80',
      backends: { west: ['10.1.0.5:8080'], east: ['10.2.0.9:8080'] },
    });
  });

  it('maps and their rows', async () => {
    cli.agent.answers['/v1/bpf'] = ['ipcache', 'peers'];
    cli.agent.answers['/v1/bpf/ipcache'] = [
      { prefix: '10.2.0.9/32', identity: DB.id },
      { prefix: '0.0.0.0/0', identity: 2, tunnelPeer: 'x' },
    ];
    expect(await cli.run('bpf')).toBe(0);
    expect(cli.out).toBe('ipcache\npeers\n');
    expect(await cli.run('bpf', 'ipcache', 'list')).toBe(0);
    expect(cli.out).toBe('PREFIX        IDENTITY   TUNNEL-PEER\n10.2.0.9/32   131073\n0.0.0.0/0     2          x\n');
    expect(await cli.run('bpf', 'nothing', 'list')).toBe(5);
    expect(await cli.run('bpf', 'ipcache', 'delete')).toBe(2);
  });

  it('tables and their rows, by key too', async () => {
    cli.agent.answers['/v1/tables'] = [{ name: 'ipcache', rows: 2, scopes: { local: true, east: false } }];
    cli.agent.answers['/v1/tables/sink%2Fipcache'] = [];
    cli.agent.answers['/v1/tables/ipcache?key=10.2.0.9'] = [{ key: '10.2.0.9', revision: 5, row: { identity: 1 } }];
    cli.agent.answers['/v1/tables/ipcache?key=none'] = [];
    expect(await cli.run('table', 'list')).toBe(0);
    expect(cli.out).toContain('ipcache   2      local, east (not synced)\n');
    cli.agent.answers['/v1/tables/ips'] = [{ key: '10.2.0.7', revision: 5, row: { ip: '10.2.0.7', key: 0 } }];
    expect(await cli.run('table', 'get', 'ips')).toBe(0);
    expect(cli.out).toContain('KEY        IP         ROW-KEY\n10.2.0.7   10.2.0.7   0\n');
    expect(await cli.run('table', 'get', 'sink/ipcache')).toBe(0);
    expect(cli.out).toBe('no rows\n');
    expect(await cli.run('table', 'get', 'ipcache', '10.2.0.9', '-o', 'json')).toBe(0);
    expect(JSON.parse(cli.out)).toEqual({ key: '10.2.0.9', revision: 5, row: { identity: 1 } });
    expect(await cli.run('table', 'get', 'ipcache', 'none')).toBe(5);
  });

  it('settings, and which of them are set', async () => {
    cli.agent.answers['/v1/config'] = { 'cluster-name': 'west', 'tunnel-port': 0, 'enable-ipv4': true, devices: [] };
    expect(await cli.run('config', 'view')).toBe(0);
    expect(cli.out).toMatch(/^cluster-name +west +yes +Name of this cluster/m);
    expect(cli.out).toMatch(/^tunnel-port +0 +UDP port/m);
    expect(cli.out).toMatch(/^devices +- +Physical/m);
  });
});

describe('monitor', () => {
  const drop = {
    type: 'drop',
    reason: 'EndpointNotReady',
    subtype: 3,
    direction: 'ingress',
    endpoint: 7,
    sourceIdentity: DB.id,
    destinationIdentity: 2,
    source: '10.2.0.9',
    destination: '10.1.0.5',
    protocol: 'TCP',
    sourcePort: 4242,
    destinationPort: 80,
    bytes: 74,
    ifindex: 3,
    timeMs: 1,
  };

  it('shows drops with both identities, and nothing else unless asked', async () => {
    cli.agent.events = [drop, { ...drop, type: 'trace' }, { type: 'lost', count: 4 }];
    expect(await cli.run('monitor')).toBe(3);
    expect(cli.out).toBe(
      '00:00:00.000 drop EndpointNotReady ingress: TCP 10.2.0.9:4242 [131073 app=db cluster=east] -> 10.1.0.5:80 [2 reserved:world] (74 bytes, endpoint 7)\n',
    );
    expect(cli.err).toContain('warning: 4 events came too fast');
    await cli.run('monitor', '--type', 'all');
    expect(cli.out.trim().split('\n')).toHaveLength(2);
  });

  it('prints JSON lines, and reads identities once', async () => {
    cli.agent.events = [drop, { ...drop, sourceIdentity: 999_999 }, drop];
    await cli.run('monitor', '--json');
    const events = cli.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({
      reason: 'EndpointNotReady',
      sourceLabels: ['k8s:app=db', expect.any(String)],
      destinationLabels: ['reserved:world'],
    });
    expect(events[1]).toMatchObject({ sourceIdentity: 999_999, sourceLabels: [] });
    expect(cli.agent.asked.filter((path) => path === '/v1/tables/identities')).toHaveLength(1);
  });
});
