import { ManualClock, Store } from '@isthmus/core';
import type { BackendSetRow, BgpNodeInstance, EndpointRow, ServiceExposure, ServiceRow } from '@isthmus/model';
import { CILIUM_BGP_ADVERTISEMENT, CILIUM_BGP_PEER_CONFIG, parseResource } from '@isthmus/model';
import { advertisementEntries } from './advertised.ts';
import { declareBgpTables } from './bgp-tables.ts';
import { SecretText } from './secret-text.ts';

const NOTHING: ServiceExposure = { labels: {}, loadBalancerIps: [], externalIps: [], externalLocal: false, internalLocal: false };

function fixture() {
  const store = new Store(new ManualClock(), {
    onFault: ({ error }) => {
      throw error;
    },
  });
  const services = store.table<ServiceRow>('services');
  const backends = store.table<BackendSetRow>('service-backends');
  const endpoints = store.table<EndpointRow>('endpoints');
  const tables = declareBgpTables(store, {
    services: services.table,
    localBackends: backends.table,
    endpoints: endpoints.table,
    routerId: '192.0.2.1',
    nodeAddresses: { ipv4: '192.0.2.1', ipv6: 'fd00::1' },
  });
  const { sources } = tables;
  const advertise = (name: string, ...advertisements: object[]): void => {
    const metadata = { name, labels: { advertise: name } };
    const object = { apiVersion: 'cilium.io/v2', kind: 'CiliumBGPAdvertisement', metadata, spec: { advertisements } };
    const entries = advertisementEntries(parseResource(CILIUM_BGP_ADVERTISEMENT, object));
    for (const [i, entry] of entries.entries()) sources.entries.put(`${name}#${i}`, entry);
  };
  const config = (name: string, spec: object): void =>
    sources.peerConfigs.put(
      name,
      parseResource(CILIUM_BGP_PEER_CONFIG, { apiVersion: 'cilium.io/v2', kind: 'CiliumBGPPeerConfig', metadata: { name }, spec }),
    );
  const instance = (peers: object[], more: object = {}): void =>
    sources.instances.put('rack', { name: 'rack', localASN: 65_001, peers, ...more } as BgpNodeInstance);
  const service = (name: string, exposure: Partial<ServiceExposure>, clusterIps: string[] = []): void =>
    services.put(`default/${name}`, {
      namespace: 'default',
      name,
      clusterIps,
      exposure: { ...NOTHING, ...exposure },
      ports: [],
      global: false,
      shared: false,
      affinity: 'none',
    });
  const routes = (): Record<string, readonly string[]> =>
    Object.fromEntries([...tables.routes.rows()].map(([prefix, { entries }]) => [prefix, entries]));
  return { ...tables, services, backends, endpoints, advertise, config, instance, service, routes };
}

describe('peers', () => {
  it('have what their config says, and defaults where it is silent', () => {
    const { instance, config, peers, speakers } = fixture();
    config('tor', {
      timers: { holdTimeSeconds: 9, keepAliveTimeSeconds: 2, connectRetryTimeSeconds: 5 },
      transport: { peerPort: 1179 },
      gracefulRestart: { enabled: true },
      ebgpMultihop: 3,
      families: [
        { afi: 'ipv4', safi: 'unicast' },
        { afi: 'l2vpn', safi: 'evpn' },
      ],
      bfd: { enabled: true, transmitIntervalMilliseconds: 50 },
      maxPrefixes: 100,
      med: 7,
      prepend: 2,
    });
    instance(
      [
        { name: 'a', peerAddress: '10.0.0.2', peerASN: 65_002, peerConfigRef: { name: 'tor' } },
        { name: 'b', peerAddress: 'FD00::2' },
      ],
      { localPort: 179 },
    );
    expect(speakers.get('rack')).toEqual({ asn: 65_001, routerId: '192.0.2.1', listenPort: 179, ranges: [] });
    expect(peers.get('rack/a')).toMatchObject({
      address: '10.0.0.2',
      connection: {
        asn: 65_002,
        port: 1179,
        families: ['ipv4'],
        holdTime: 9,
        keepaliveTime: 2,
        connectRetryMs: 5_000,
        multihop: 3,
        gracefulRestart: { restartTime: 120 },
      },
      routing: { importPolicy: { rules: [], otherwise: 'reject' }, maxPrefixes: 100 },
      bfd: { transmitMs: 50, receiveMs: 300, multiplier: 3 },
      med: 7,
      prepend: 2,
    });
    const plain = peers.get('rack/b')!;
    expect([plain.address, plain.connection]).toEqual([
      'fd00::2',
      { asn: 0, port: 179, families: ['ipv6', 'ipv4'], holdTime: 90, keepaliveTime: 30 },
    ]);
    expect(plain.bfd ?? 'none').toBe('none');
  });

  it('are refused while something of theirs is missing, and never get a weaker session instead', () => {
    const { instance, config, peers, refusals, sources } = fixture();
    config('secret', { authSecretRef: 'tor-password' });
    instance([
      { name: 'a', peerAddress: '10.0.0.2', peerConfigRef: { name: 'secret' } },
      { name: 'b', peerAddress: '10.0.0.3', peerConfigRef: { name: 'absent' } },
      { name: 'c', autoDiscovery: { mode: 'DefaultGateway', defaultGateway: { addressFamily: 'ipv4' } } },
      { name: 'd', autoDiscovery: { mode: 'Unnumbered', unnumbered: { interface: 'up0' } } },
    ]);
    expect(peers.size).toBe(0);
    expect([...refusals.rows()].map(([key, { reason }]) => `${key}: ${reason}`)).toEqual([
      expect.stringContaining('rack/a: its password is missing: no secret tor-password'),
      'rack/b: there is no CiliumBGPPeerConfig absent',
      'rack/c: its address is not known yet',
      'rack/d: its address is not known yet',
    ]);
    sources.secrets.put('tor-password', new SecretText(''));
    expect(peers.has('rack/a')).toBe(false);
    sources.secrets.put('tor-password', new SecretText('sesame'));
    sources.gateways.put('ipv4', { address: '10.0.0.254' });
    sources.linkNeighbours.put('up0', { address: 'fe80::1%up0' });
    config('absent', {});
    expect([...peers.rows()].map(([key, { address }]) => `${key} ${address}`).sort()).toEqual([
      'rack/a 10.0.0.2',
      'rack/b 10.0.0.3',
      'rack/c 10.0.0.254',
      'rack/d fe80::1%up0',
    ]);
    expect([refusals.size, peers.get('rack/a')?.password?.value, JSON.stringify(peers.get('rack/a')).includes('sesame')]).toEqual([
      0,
      'sesame',
      false,
    ]);
    sources.secrets.delete('tor-password');
    expect(peers.has('rack/a')).toBe(false);
  });

  it('of an instance without an AS number have no speaker, and it says so', () => {
    const { instance, speakers, refusals } = fixture();
    instance([{ name: 'a', peerAddress: '10.0.0.2' }], { localASN: undefined });
    expect([speakers.size, refusals.get('rack')?.reason]).toEqual([0, 'it has no localASN']);
  });

  it('may be a network of those that connect', () => {
    const { instance, speakers, peers } = fixture();
    instance([{ name: 'a', peerRange: '10.0.0.0/24', peerASN: 65_002 }]);
    expect(speakers.get('rack')?.ranges).toMatchObject([{ network: '10.0.0.0/24', connection: { asn: 65_002 } }]);
    expect(peers.size).toBe(0);
  });

  it('of the own AS get the node as next hop of both families, whichever the session is over', () => {
    const { instance, peers } = fixture();
    instance([
      { name: 'nodes/n2', peerAddress: '192.0.2.2', localAddress: '192.0.2.1', peerASN: 65_001 },
      { name: 'tor', peerAddress: '10.0.0.2', peerASN: 65_002 },
    ]);
    expect(peers.get('rack/nodes/n2')?.routing.nextHops).toEqual({ ipv4: '192.0.2.1', ipv6: 'fd00::1' });
    expect(peers.get('rack/tor')?.routing).not.toHaveProperty('nextHops');
  });

  it('import by rules, of which the first that matches decides', () => {
    const { instance, config, peers } = fixture();
    const rules = [
      { action: 'Reject', prefixes: [{ cidr: '10.9.0.0/16', minLength: 24 }] },
      {
        action: 'Accept',
        communities: ['65000:1', '64512:1:2'],
        asPathContains: 65_009,
        set: { localPreference: 200, med: 1, addCommunities: ['no-export'] },
      },
    ];
    config('tor', { routeImport: { mode: 'Filtered', rules } });
    instance([{ name: 'a', peerAddress: '10.0.0.2', peerConfigRef: { name: 'tor' } }]);
    expect(peers.get('rack/a')?.routing.importPolicy).toEqual({
      rules: [
        { action: 'reject', match: { prefixes: [{ prefix: '10.9.0.0/16', min: 24, max: 32 }] } },
        {
          action: 'accept',
          match: {
            communities: [65_000 * 65_536 + 1],
            largeCommunities: [{ global: 64_512, local1: 1, local2: 2 }],
            asPathContains: 65_009,
          },
          set: { localPref: 200, med: 1, addCommunities: [0xffff_ff01] },
        },
      ],
      otherwise: 'reject',
    });
  });
});

describe('own routes', () => {
  const POD_CIDR = { advertisementType: 'PodCIDR', attributes: { communities: { standard: ['65000:1'] } } };
  const service = (addresses: string[], more: object = {}) => ({
    advertisementType: 'Service',
    service: { addresses, ...more },
    selector: {},
  });

  it('are pod CIDRs where an advertisement says so, and are told to those whose family selects it', () => {
    const { sources, advertise, config, instance, peers, routes } = fixture();
    sources.podCidrs.put('10.1.0.0/24', true);
    expect(routes()).toEqual({});
    advertise('pods', POD_CIDR);
    expect(routes()).toEqual({ '10.1.0.0/24': ['pods#0'] });
    config('tor', { families: [{ afi: 'ipv4', safi: 'unicast', advertisements: { matchLabels: { advertise: 'pods' } } }] });
    instance([{ name: 'a', peerAddress: '10.0.0.2', peerConfigRef: { name: 'tor' } }]);
    expect(peers.get('rack/a')?.exports).toMatchObject({ ipv4: [{ entry: 'pods#0', communities: [65_000 * 65_536 + 1] }], ipv6: [] });
    sources.entries.delete('pods#0');
    expect([routes(), peers.get('rack/a')?.exports.ipv4]).toEqual([{}, []]);
  });

  it('are shares of pod pools that are selected, by the pool’s labels and its name, while there is such a pool', () => {
    const { sources, advertise, routes } = fixture();
    advertise('pools', { advertisementType: 'CiliumPodIPPool', selector: { matchLabels: { rack: 'a' } } });
    advertise('named', { advertisementType: 'CiliumPodIPPool', selector: { matchLabels: { 'io.cilium.podippool.name': 'blue' } } });
    advertise('none', { advertisementType: 'CiliumPodIPPool' });
    sources.poolShares.put('10.8.0.0/27', { pool: 'red' });
    sources.poolShares.put('10.9.0.0/27', { pool: 'blue' });
    expect(routes()).toEqual({});
    sources.podPools.put('red', { labels: { rack: 'a' } });
    sources.podPools.put('blue', { labels: {} });
    expect(routes()).toEqual({ '10.8.0.0/27': ['pools#0'], '10.9.0.0/27': ['named#0'] });
    sources.podPools.put('red', { labels: { rack: 'b' } });
    sources.poolShares.put('10.9.0.32/27', { pool: 'blue' });
    expect(Object.keys(routes())).toEqual(['10.9.0.0/27', '10.9.0.32/27']);
    sources.podPools.delete('blue');
    expect(routes()).toEqual({});
  });

  it('are the addresses of services that are selected, each kind where it is asked for', () => {
    const { advertise, service: put, routes, services } = fixture();
    put('web', { labels: { app: 'web' }, loadBalancerIps: ['192.0.2.10', 'fd00::10'], externalIps: ['198.51.100.7'] }, ['10.96.0.1']);
    put('db', { loadBalancerIps: ['192.0.2.11'] });
    advertise('lb', { ...service(['LoadBalancerIP']), selector: { matchLabels: { app: 'web' } } });
    expect(Object.keys(routes()).sort()).toEqual(['192.0.2.10/32', 'fd00::10/128']);
    advertise('all', { ...service(['ClusterIP', 'ExternalIP']), selector: { matchLabels: { 'io.kubernetes.service.name': 'web' } } });
    expect(Object.keys(routes()).sort()).toEqual(['10.96.0.1/32', '192.0.2.10/32', '198.51.100.7/32', 'fd00::10/128']);
    services.delete('default/web');
    expect(routes()).toEqual({});
  });

  it('select nothing without a selector', () => {
    const { advertise, service: put, routes } = fixture();
    put('web', { loadBalancerIps: ['192.0.2.10'] });
    advertise('lb', { advertisementType: 'Service', service: { addresses: ['LoadBalancerIP'] } });
    expect(routes()).toEqual({});
  });

  it('are whole networks where that is asked for, which several services share', () => {
    const { advertise, service: put, routes, services } = fixture();
    put('a', { loadBalancerIps: ['192.0.2.10', 'fd00::10'] });
    put('b', { loadBalancerIps: ['192.0.2.20'] });
    advertise('lb', service(['LoadBalancerIP'], { aggregationLengthIPv4: 24, aggregationLengthIPv6: 64 }));
    expect(Object.keys(routes()).sort()).toEqual(['192.0.2.0/24', 'fd00::/64']);
    services.delete('default/a');
    expect(Object.keys(routes())).toEqual(['192.0.2.0/24']);
  });

  it('are announced only where a backend is, and never as a network, when traffic is to stay local', () => {
    const { advertise, service: put, routes, backends, endpoints } = fixture();
    put('web', { loadBalancerIps: ['192.0.2.10'], externalLocal: true }, ['10.96.0.1']);
    advertise('lb', service(['LoadBalancerIP', 'ClusterIP'], { aggregationLengthIPv4: 24 }));
    expect(Object.keys(routes())).toEqual(['10.96.0.0/24']);
    backends.put('default/web-1', {
      namespace: 'default',
      name: 'web',
      backends: [{ ip: '10.1.0.5', ports: [] }],
    } as unknown as BackendSetRow);
    expect(Object.keys(routes())).toEqual(['10.96.0.0/24']);
    endpoints.put('1', { ipv4: '10.1.0.5', ipv6: '' } as EndpointRow);
    expect(Object.keys(routes()).sort()).toEqual(['10.96.0.0/24', '192.0.2.10/32']);
    endpoints.delete('1');
    expect(Object.keys(routes())).toEqual(['10.96.0.0/24']);
  });

  it('are those of all entries that name a prefix', () => {
    const { advertise, service: put, routes } = fixture();
    put('web', { loadBalancerIps: ['192.0.2.10'] });
    advertise('one', service(['LoadBalancerIP']));
    advertise('two', service(['LoadBalancerIP']), { advertisementType: 'PodCIDR' });
    expect(routes()).toEqual({ '192.0.2.10/32': ['one#0', 'two#0'] });
  });

  it('are to be discarded here where nothing on the node routes them', () => {
    const { sources, advertise, service: put, services, discards } = fixture();
    advertise('all', POD_CIDR, service(['LoadBalancerIP']), { advertisementType: 'CiliumPodIPPool', selector: {} });
    advertise('lo', { advertisementType: 'Interface', interface: { name: 'lo' } });
    sources.podCidrs.put('10.1.0.0/24', true);
    sources.podPools.put('blue', { labels: {} });
    sources.poolShares.put('10.9.0.0/27', { pool: 'blue' });
    sources.deviceAddresses.put('lo/192.0.2.9', { device: 'lo', address: '192.0.2.9' });
    put('web', { loadBalancerIps: ['192.0.2.8', '192.0.2.9'] });
    expect([...discards.rows()].map(([prefix]) => prefix).sort()).toEqual(['10.9.0.0/27', '192.0.2.8/32']);
    services.delete('default/web');
    expect([...discards.rows()].map(([prefix]) => prefix)).toEqual(['10.9.0.0/27']);
  });

  it('are addresses of a device', () => {
    const { advertise, sources, routes } = fixture();
    sources.deviceAddresses.put('lo/192.0.2.77', { device: 'lo', address: '192.0.2.77' });
    sources.deviceAddresses.put('eth0/192.0.2.78', { device: 'eth0', address: '192.0.2.78' });
    advertise('lo', { advertisementType: 'Interface', interface: { name: 'lo' } });
    expect(routes()).toEqual({ '192.0.2.77/32': ['lo#0'] });
  });
});
