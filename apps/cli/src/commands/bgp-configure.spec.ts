import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CILIUM_BGP_CLUSTER_CONFIG,
  CILIUM_BGP_NODE_CONFIG_OVERRIDE,
  CILIUM_BGP_PEER_CONFIG,
  CILIUM_LOAD_BALANCER_IP_POOL,
  SECRET,
  secretValue,
} from '@isthmus/model';
import { parseAllDocuments } from 'yaml';
import { FakeCli } from '../testing/fake-cli.ts';

const ETCD = ['--etcd-config', '/etc/etcd.yaml'];
const PEERS = ['--as-number', '65001', '--peer', '192.0.2.1,65101', '--peer', 'fd00::1,4200000000'];

let cli: FakeCli;

beforeEach(() => {
  cli = new FakeCli();
});

const configure = (...words: readonly string[]): Promise<number> => cli.run('bgp', 'configure', ...words);

it('writes all that sessions need, says which, and changes it when it is run again', async () => {
  expect(await configure(...ETCD, ...PEERS)).toBe(0);
  expect(cli.out).toBe(
    'CiliumBGPAdvertisement default created\n' +
      'CiliumBGPPeerConfig default-ipv4 created\n' +
      'CiliumBGPPeerConfig default-ipv6 created\n' +
      'CiliumBGPClusterConfig default created\n' +
      'To see how it goes, on a node: isthmus bgp peers\n',
  );
  const store = cli.resources();
  expect((await store.get(CILIUM_BGP_CLUSTER_CONFIG, 'default'))?.spec).toEqual({
    bgpInstances: [
      {
        name: 'default',
        localASN: 65001,
        peers: [
          { name: '192.0.2.1', peerAddress: '192.0.2.1', peerASN: 65101, peerConfigRef: { name: 'default-ipv4' } },
          { name: 'fd00::1', peerAddress: 'fd00::1', peerASN: 4_200_000_000, peerConfigRef: { name: 'default-ipv6' } },
        ],
      },
    ],
  });
  const peerConfig = async () => (await store.get(CILIUM_BGP_PEER_CONFIG, 'default-ipv6'))?.spec;
  expect(await peerConfig()).toEqual({
    gracefulRestart: { enabled: true },
    routeImport: { mode: 'None' },
    families: [{ afi: 'ipv6', safi: 'unicast', advertisements: { matchLabels: { 'isthmus.io/bgp': 'default' } } }],
  });
  expect(await configure(...ETCD, ...PEERS, '--import', 'all', '-o', 'json')).toBe(0);
  expect(JSON.parse(cli.out)).toEqual([
    { kind: 'CiliumBGPAdvertisement', name: 'default', result: 'unchanged' },
    { kind: 'CiliumBGPPeerConfig', name: 'default-ipv4', result: 'configured' },
    { kind: 'CiliumBGPPeerConfig', name: 'default-ipv6', result: 'configured' },
    { kind: 'CiliumBGPClusterConfig', name: 'default', result: 'unchanged' },
  ]);
  expect(await peerConfig()).toMatchObject({ routeImport: { mode: 'All' } });
});

it('announces what is asked for, from the nodes that are, under the name that is', async () => {
  const words = [
    '--name',
    'rack1',
    '--advertise',
    'load-balancer',
    '--node-selector',
    'rack=1,role=edge',
    '--pool-ipv6-cidr',
    'fd00:5::/112',
  ];
  expect(await configure(...PEERS, ...words, '--dry-run')).toBe(0);
  const objects = parseAllDocuments(cli.out).map((each) => each.toJS());
  expect(objects).toMatchObject([
    { kind: 'CiliumLoadBalancerIPPool', metadata: { name: 'rack1' }, spec: { blocks: [{ cidr: 'fd00:5::/112' }] } },
    {
      metadata: { name: 'rack1', labels: { 'isthmus.io/bgp': 'rack1' } },
      spec: { advertisements: [{ advertisementType: 'Service', service: { addresses: ['LoadBalancerIP'] }, selector: {} }] },
    },
    { metadata: { name: 'rack1-ipv4' } },
    { metadata: { name: 'rack1-ipv6' } },
    { spec: { nodeSelector: { matchLabels: { rack: '1', role: 'edge' } } } },
  ]);
  expect(cli.etcdFiles).toEqual([]);
  cli.input = cli.out;
  expect(await cli.run('apply', ...ETCD, '-f', '-')).toBe(0);
});

it('writes networks alone', async () => {
  expect(await configure(...ETCD, '--pool-ipv4-cidr', '203.0.113.0/24')).toBe(0);
  expect(cli.out).toBe('CiliumLoadBalancerIPPool default created\n');
  expect((await cli.resources().list(CILIUM_LOAD_BALANCER_IP_POOL)).map(({ spec }) => spec.blocks)).toEqual([[{ cidr: '203.0.113.0/24' }]]);
});

it("sets a node's router id, and leaves what else was said of the node", async () => {
  const store = cli.resources();
  const before = [
    { name: 'other', localPort: 1179 },
    { name: 'default', localPort: 179, routerID: '192.0.2.9' },
  ];
  const object = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumBGPNodeConfigOverride',
    metadata: { name: 'n1' },
    spec: { bgpInstances: before },
  };
  await store.apply(CILIUM_BGP_NODE_CONFIG_OVERRIDE, object as never);
  for (const node of ['n1', 'n2']) expect(await configure(...ETCD, '--router-id', '192.0.2.11', '--node', node)).toBe(0);
  const instances = async (node: string) => (await store.get(CILIUM_BGP_NODE_CONFIG_OVERRIDE, node))?.spec.bgpInstances;
  expect(await instances('n1')).toEqual([before[0], { name: 'default', localPort: 179, routerID: '192.0.2.11' }]);
  expect(await instances('n2')).toEqual([{ name: 'default', routerID: '192.0.2.11' }]);
});

describe('a password', () => {
  it('goes into a Secret that the sessions refer to, and nowhere else', async () => {
    cli.input = 'hunter2\n';
    expect(await configure(...ETCD, ...PEERS, '--password-file', '-')).toBe(0);
    expect(cli.out).toContain('Secret kube-system/bgp-default created\n');
    const secret = await cli.resources().get(SECRET, 'bgp-default', 'kube-system');
    expect(secretValue(secret!, 'password')?.toString()).toBe('hunter2');
    expect(await cli.resources().get(CILIUM_BGP_PEER_CONFIG, 'default-ipv4')).toMatchObject({ spec: { authSecretRef: 'bgp-default' } });
    let shown = cli.out;
    await configure(...PEERS, '--password-file', '-', '--dry-run');
    expect(cli.out).toContain('# Secret kube-system/bgp-default with the password is not shown');
    shown += cli.out;
    expect(shown).not.toMatch(/hunter2|aHVudGVyMg/);
    cli.input = cli.out;
    expect(await cli.run('apply', ...ETCD, '-f', '-')).toBe(0);
  });

  it('is refused where it is none', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'isthmus-cli-'));
    const path = join(dir, 'password');
    for (const text of ['', '\n', 'x'.repeat(81)]) {
      await writeFile(path, text);
      expect(await configure(...ETCD, ...PEERS, '--password-file', path)).toBe(1);
      expect(cli.err).toMatch(/^error: CLI_FILE .*: the password has \d+ bytes\n {2}what to do: Write a password of 1 to 80 bytes/);
    }
    await rm(dir, { recursive: true });
    expect(await configure(...ETCD, ...PEERS, '--password-file', path)).toBe(1);
    expect(cli.err).toContain('ENOENT');
    expect(cli.etcdFiles).toEqual([]);
  });
});

it.each([
  [[], 'name routers with --as-number and --peer'],
  [['--peer', '192.0.2.1,65101'], '--peer: needs --as-number'],
  [['--as-number', '65001'], '--as-number: needs --peer'],
  [['--router-id', '192.0.2.1'], '--router-id: needs --node'],
  [[...PEERS, '--node', 'n1'], '--node: needs --router-id'],
  [['--pool-ipv4-cidr', '192.0.2.0/24', '--import', 'all'], '--import: needs --peer'],
  [['--pool-ipv4-cidr', '192.0.2.0/24', '--node-selector', 'a=b'], '--node-selector: needs --peer'],
  [['--pool-ipv4-cidr', '192.0.2.0/24', '--password-file', 'x'], '--password-file: needs --peer'],
  [['--as-number', '0', ...PEERS.slice(2)], "argument '0' is invalid. Write a number from 1"],
  [['--as-number', '4294967296', ...PEERS.slice(2)], 'Write a number from 1'],
  [[...PEERS, '--peer', '192.0.2.300,1'], 'Write it as 192.0.2.1,65101'],
  [[...PEERS, '--peer', '192.0.2.3'], 'Write it as 192.0.2.1,65101'],
  [[...PEERS, '--peer', 'tor,1'], 'Write it as 192.0.2.1,65101'],
  [[...PEERS, '--peer', '192.0.2.3%eth0,1'], 'Write it as 192.0.2.1,65101'],
  [[...PEERS, '--peer', '192.0.2.1,1'], 'This router was named already'],
  [[...PEERS, '--router-id', 'fd00::1', '--node', 'n1'], 'Write an IPv4 address'],
  [['--pool-ipv4-cidr', 'fd00::/64'], 'Write an IPv4 network'],
  [['--pool-ipv6-cidr', '192.0.2.0/24'], 'Write an IPv6 network'],
  [[...PEERS, '--advertise', 'pod-cidr,all'], 'Write pod-cidr, load-balancer'],
  [[...PEERS, '--node-selector', 'rack'], 'Write it as key=value'],
  [[...PEERS, '--import', 'some'], 'Allowed choices are none, all'],
])('refuses %j and writes nothing', async (words, message) => {
  expect(await configure(...ETCD, ...words)).toBe(2);
  expect(cli.err).toContain('error: CLI_USAGE');
  expect(cli.err).toContain(message);
  expect(cli.etcdFiles).toEqual([]);
});

it('takes a link-local router with its interface', async () => {
  expect(await configure('--as-number', '65001', '--peer', 'fe80::1%eth0,0', '--dry-run')).toBe(0);
  expect(cli.out).toContain('peerAddress: fe80::1%eth0\n          peerASN: 0\n');
});
