import { CodedError } from '@isthmus/core';
import { CLI_AGENT_DOWN } from '../cli.errors.ts';
import { FakeCli } from '../testing/fake-cli.ts';

const TOR = {
  instance: 'main',
  peer: 'tor',
  localAsn: 65001,
  peerAsn: 65101,
  address: '192.0.2.1',
  state: 'established',
  uptimeSeconds: 240,
  routes: [
    { family: 'ipv4', received: 4, advertised: 1 },
    { family: 'ipv6', received: 3, advertised: 2 },
  ],
  stale: [],
};
const DOWN = { ...TOR, peer: 'spine', address: 'fd00::1', peerAsn: 0, state: 'connect', uptimeSeconds: undefined, routes: [] };
const REFUSED = { ...DOWN, peer: 'gw', address: '', state: 'refused', lastError: 'there is no default route' };

const route = (prefix: string, fields: object = {}) => ({
  instance: 'main',
  family: 'ipv4',
  prefix,
  peer: '192.0.2.1',
  best: true,
  accepted: true,
  stale: false,
  ageSeconds: 90,
  attributes: { origin: 'igp', asPath: '65101 65002', nextHop: '192.0.2.1', communities: ['65000:1', '65535:0'] },
  ...fields,
});

let cli: FakeCli;

beforeEach(() => {
  cli = new FakeCli();
  Object.assign(cli.agent.answers, {
    '/v1/status': { cluster: 'west', clusterId: 1, node: 'n1', ready: true, uptimeSeconds: 75 },
    '/v1/bgp/peers': [TOR, { ...DOWN, lastError: 'connection refused' }, REFUSED],
    '/v1/bgp/drain': { draining: false },
    '/v1/bgp/refused': [],
  });
});

describe('bgp peers', () => {
  it('has a line for each family, and says why a session is not up', async () => {
    expect(await cli.run('bgp', 'peers')).toBe(0);
    expect(cli.out).toBe(
      'NODE   LOCAL-AS   PEER-AS   PEER-ADDRESS   SESSION-STATE   UPTIME   FAMILY   RECEIVED   ADVERTISED\n' +
        'n1     65001      65101     192.0.2.1      established     4m       ipv4     4          1\n' +
        '                                                                    ipv6     3          2\n' +
        'n1     65001      -         fd00::1        connect         -        -        -          -\n' +
        'n1     65001      -         gw             refused         -        -        -          -\n' +
        '\n' +
        'fd00::1 (spine): connection refused\n' +
        '(gw): there is no default route\n',
    );
  });

  it('says that the node drains, and that a peer restarts', async () => {
    cli.agent.answers['/v1/bgp/peers'] = [{ ...TOR, stale: ['ipv4'] }];
    cli.agent.answers['/v1/bgp/drain'] = { draining: true };
    await cli.run('bgp', 'peers');
    expect(cli.out).toContain('\n192.0.2.1 (tor): restarts; its ipv4 routes are kept meanwhile\n');
    expect(cli.out).toContain('\nthis node is draining: ');
  });

  it('names a peer once that is called after its address', async () => {
    cli.agent.answers['/v1/bgp/peers'] = [{ ...DOWN, peer: DOWN.address, lastError: 'no answer' }];
    await cli.run('bgp', 'peers');
    expect(cli.out).toContain('\nfd00::1: no answer\n');
  });

  it('lets no control character of a peer reach the terminal', async () => {
    cli.agent.answers['/v1/bgp/peers'] = [{ ...DOWN, lastError: 'administrative shutdown: \u001b[2J\nbye' }];
    await cli.run('bgp', 'peers');
    expect(cli.out).toContain('fd00::1 (spine): administrative shutdown: ?[2J?bye\n');
  });

  it('gives programs the answer as it is, and says when there is nobody', async () => {
    await cli.run('bgp', 'peers', '-o', 'json');
    expect(JSON.parse(cli.out)).toMatchObject([{ peer: 'tor', routes: TOR.routes }, { peer: 'spine' }, { peer: 'gw' }]);
    cli.agent.answers['/v1/bgp/peers'] = [];
    expect(await cli.run('bgp', 'peers')).toBe(0);
    expect([cli.out, cli.err]).toEqual(['', 'no BGP peers are configured for this node\n']);
  });
});

describe('bgp routes', () => {
  it('shows own routes without a peer, and attributes in braces', async () => {
    const attributes = {
      origin: 'incomplete',
      asPath: '',
      nextHop: '',
      med: 10,
      atomicAggregate: true,
      aggregator: { asn: 1, address: '::' },
    };
    cli.agent.answers['/v1/bgp/routes/available?limit=1001'] = [route('10.1.0.0/24', { peer: '', attributes })];
    expect(await cli.run('bgp', 'routes', 'available')).toBe(0);
    expect(cli.out).toBe(
      'NODE   VROUTER   PREFIX        NEXT-HOP   AGE   ATTRS\n' +
        'n1     main      10.1.0.0/24   -          90s   [{Origin: ?} {Med: 10} {AtomicAggregate} {Aggregator: 1 ::}]\n',
    );
  });

  it('shows what peers told of, what became of it, and why the best is not installed', async () => {
    cli.agent.answers['/v1/bgp/routes/received?limit=1001'] = [
      route('10.1.0.0/24'),
      route('10.2.0.0/24', { stale: true }),
      route('10.3.0.0/24', { best: false }),
      route('10.4.0.0/24', { best: false, accepted: false }),
    ];
    cli.agent.answers['/v1/bgp/refused'] = [{ prefix: '10.1.0.0/24', reason: 'own-pod-cidr' }];
    expect(await cli.run('bgp', 'routes', 'received')).toBe(0);
    const attrs = '[{Origin: i} {AsPath: 65101 65002} {Communities: 65000:1 65535:0}]';
    expect(cli.out).toBe(
      'NODE   VROUTER   PEER        PREFIX        NEXT-HOP    AGE   STATE         ATTRS\n' +
        `n1     main      192.0.2.1   10.1.0.0/24   192.0.2.1   90s   refused       ${attrs}\n` +
        `n1     main      192.0.2.1   10.2.0.0/24   192.0.2.1   90s   best, stale   ${attrs}\n` +
        `n1     main      192.0.2.1   10.3.0.0/24   192.0.2.1   90s   accepted      ${attrs}\n` +
        `n1     main      192.0.2.1   10.4.0.0/24   192.0.2.1   90s   rejected      ${attrs}\n` +
        "\n10.1.0.0/24 is not installed: it lies in this node's own pod CIDRs (own-pod-cidr)\n",
    );
    await cli.run('bgp', 'routes', 'received', '-o', 'json');
    expect(JSON.parse(cli.out)[0]).toMatchObject({ prefix: '10.1.0.0/24', refused: 'own-pod-cidr' });
  });

  it('asks for a peer and a family, and says when there are more', async () => {
    const path = '/v1/bgp/routes/advertised?limit=2&peer=tor&family=ipv6';
    cli.agent.answers[path] = [route('fd00:1::/64'), route('fd00:2::/64')];
    expect(await cli.run('bgp', 'routes', 'advertised', '--peer', 'tor', '--family', 'ipv6', '--limit', '1')).toBe(0);
    expect(cli.out).not.toContain('fd00:2::/64');
    expect(cli.err).toBe('there are more than these 1: --limit shows them\n');
    cli.agent.answers[path] = [];
    await cli.run('bgp', 'routes', 'advertised', '--peer', 'tor', '--family', 'ipv6', '--limit', '1');
    expect([cli.out, cli.err]).toEqual(['', 'there are no advertised routes of peer tor\n']);
  });

  it('knows no other peers, kinds, families', async () => {
    expect(await cli.run('bgp', 'routes', 'received', '--peer', 'tro')).toBe(5);
    expect(cli.err).toContain('CLI_NOT_FOUND tro: no BGP peer of this node');
    for (const words of [['sent'], ['received', '--family', 'l2vpn'], ['received', '--limit', '0'], []])
      expect(await cli.run('bgp', 'routes', ...words)).toBe(2);
  });
});

it('bgp policies shows rules in their order, and what is done with the rest', async () => {
  const tag = { global: 0xffff_ffff, local1: 0, local2: 3 };
  cli.agent.answers['/v1/bgp/policies'] = [
    {
      instance: 'main',
      peer: 'tor',
      type: 'import',
      policy: {
        rules: [
          {
            action: 'accept',
            match: {
              prefixes: [{ prefix: '10.0.0.0/8', min: 16, max: 24 }, { prefix: '192.0.2.0/24' }],
              communities: [0xffff_0000, 4_259_840_001],
            },
            set: { localPref: 200, med: 0 },
          },
        ],
        otherwise: 'reject',
      },
    },
    {
      instance: 'main',
      peer: 'tor',
      type: 'export',
      policy: {
        rules: [
          {
            action: 'accept',
            match: { source: 'local', family: 'ipv4', largeCommunities: [tag] },
            set: {
              replaceLargeCommunities: [],
              addLargeCommunities: [{ global: 1, local1: 2, local2: 3 }],
              prepend: { asn: 65001, times: 2 },
            },
          },
        ],
        otherwise: 'reject',
      },
    },
  ];
  expect(await cli.run('bgp', 'policies')).toBe(0);
  const lines = cli.out.split('\n').map((line) => line.split(/ {3,}/));
  expect(lines).toEqual([
    ['VROUTER', 'PEER', 'TYPE', 'MATCH', 'ACTION', 'SET'],
    ['main', 'tor', 'import', 'prefixes=10.0.0.0/8(16..24),192.0.2.0/24 communities=65535:0,65000:1', 'accept', 'localPref=200 med=0'],
    ['main', 'tor', 'import', 'any other', 'reject', '-'],
    ['main', 'tor', 'export', 'source=local family=ipv4 routeSet=3', 'accept', 'addLargeCommunities=1:2:3 prepend=asn:65001/times:2'],
    ['main', 'tor', 'export', 'any other', 'reject', '-'],
    [''],
  ]);
});

describe('bgp drain', () => {
  it('drains and takes it back, and says what that does', async () => {
    cli.agent.answers['POST /v1/bgp/drain'] = { draining: true };
    expect(await cli.run('bgp', 'drain')).toBe(0);
    expect(cli.out).toContain('draining: 1 peer is told\n');
    expect(cli.out).toContain('To take it back: isthmus bgp drain --undo\n');
    cli.agent.answers['POST /v1/bgp/drain'] = { draining: false };
    expect(await cli.run('bgp', 'drain', '--undo', '-o', 'json')).toBe(0);
    expect(JSON.parse(cli.out)).toEqual({ draining: false });
    expect(cli.agent.posted).toEqual([
      ['/v1/bgp/drain', { draining: true }],
      ['/v1/bgp/drain', { draining: false }],
    ]);
  });

  it('ends with the status of what went wrong', async () => {
    cli.agent.answers['POST /v1/bgp/drain'] = new CodedError(CLI_AGENT_DOWN, 'there is no socket');
    expect(await cli.run('bgp', 'drain')).toBe(3);
    cli.agent.answers['POST /v1/bgp/drain'] = {};
    expect(await cli.run('bgp', 'drain')).toBe(1);
    expect(cli.err).toContain('CLI_AGENT_ANSWER');
  });
});
