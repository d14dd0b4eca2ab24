import type { Resource, ResourceKind } from '../resource.ts';
import { parseResource } from '../validate.ts';
import { CILIUM_BGP_ADVERTISEMENT } from './bgp-advertisement.ts';
import { CILIUM_BGP_CLUSTER_CONFIG } from './bgp-cluster-config.ts';
import { CILIUM_BGP_NODE_CONFIG, CILIUM_BGP_NODE_CONFIG_OVERRIDE } from './bgp-node-config.ts';
import { CILIUM_BGP_PEER_CONFIG } from './bgp-peer-config.ts';

const parse = (kind: object, spec: unknown, version = 'v2'): Resource => {
  const typed = kind as ResourceKind;
  return parseResource(typed, { apiVersion: `cilium.io/${version}`, kind: typed.kind, metadata: { name: 'x' }, spec });
};
const refusal = (kind: object, spec: unknown): string => {
  try {
    parse(kind, spec);
  } catch (error) {
    return (error as Error).message.replace(/^\w+: /, '');
  }
  return 'accepted';
};

const peer = (fields: object = {}) => ({ name: 'tor', peerAddress: '192.0.2.1', ...fields });
const cluster = (fields: object = {}, ...peers: object[]) => ({ bgpInstances: [{ name: 'main', ...fields, peers }] });
const P = 'spec.bgpInstances.0.peers.0';

describe('CiliumBGPClusterConfig', () => {
  it('takes and keeps all fields, unknown ones too, without filling in defaults', () => {
    const spec = {
      nodeSelector: { matchLabels: { rack: '1' }, matchExpressions: [{ key: 'a', operator: 'Exists' }] },
      bmpServers: [{ name: 'b', peerAddress: '2001:db8::9', monitoringPolicy: 'pre', statisticsTimeout: 15, peerPort: 11019 }],
      bgpInstances: [
        {
          name: 'main',
          localASN: 4294967295,
          localPort: 179,
          future: true,
          peers: [
            peer({ peerASN: 0, peerConfigRef: { name: 'tor' } }),
            { name: 'll', peerAddress: 'fe80::1%eth0' },
            { name: 'gw', autoDiscovery: { mode: 'DefaultGateway', defaultGateway: { addressFamily: 'ipv6' } } },
            { name: 'un', autoDiscovery: { mode: 'Unnumbered', unnumbered: { interface: 'eth1' } } },
            { name: 'mesh', autoDiscovery: { mode: 'NodeMesh' } },
            {
              name: 'rr',
              autoDiscovery: {
                mode: 'NodeMesh',
                nodeMesh: {
                  addressFamily: 'ipv6',
                  routeReflector: { clusterID: '10.0.0.1', nodeSelector: { matchLabels: { rr: 'yes' } } },
                },
              },
            },
            { name: 'dynamic', peerRange: '10.0.0.0/24', peerASN: 65001 },
          ],
        },
      ],
    };
    expect(parse(CILIUM_BGP_CLUSTER_CONFIG, spec)['spec']).toEqual(spec);
  });

  it('takes v2alpha1, and makes v2 of it', () => {
    const reference = { group: 'cilium.io', kind: 'CiliumBGPPeerConfig', name: 'tor' };
    const object = parse(CILIUM_BGP_CLUSTER_CONFIG, cluster({}, peer({ peerConfigRef: reference })), 'v2alpha1');
    expect(object.apiVersion).toBe('cilium.io/v2');
    expect(object['spec']).toMatchObject({ bgpInstances: [{ peers: [{ peerConfigRef: reference }] }] });
    expect(() => parse(CILIUM_BGP_CLUSTER_CONFIG, cluster(), 'v1')).toThrow('apiVersion: expected cilium.io/v2, got cilium.io/v1');
  });

  it.each<[unknown, string]>([
    [{}, 'spec.bgpInstances: '],
    [{ bgpInstances: [] }, 'spec.bgpInstances: '],
    [{ bgpInstances: Array.from({ length: 17 }, (_, i) => ({ name: `i${i}` })) }, 'spec.bgpInstances: '],
    [{ bgpInstances: [{ name: 'a' }, { name: 'a' }] }, 'spec.bgpInstances.1.name: another entry is named a too'],
    [{ bgpInstances: [{ name: '' }] }, 'spec.bgpInstances.0.name: '],
    [{ bgpInstances: [{ name: 'x'.repeat(256) }] }, 'spec.bgpInstances.0.name: '],
    [
      { ...cluster(), nodeSelector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } },
      'spec.nodeSelector.matchExpressions.0.operator: ',
    ],
    [
      { ...cluster(), nodeSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
      'spec.nodeSelector.matchExpressions.0.values: In needs at least one value',
    ],
    [
      { ...cluster(), nodeSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } },
      'spec.nodeSelector.matchExpressions.0.values: Exists takes no values',
    ],
    [cluster({ localASN: 0 }), 'spec.bgpInstances.0.localASN: '],
    [cluster({ localASN: 4294967296 }), 'spec.bgpInstances.0.localASN: '],
    [cluster({ localPort: 0 }), 'spec.bgpInstances.0.localPort: '],
    [cluster({ localPort: 65536 }), 'spec.bgpInstances.0.localPort: '],
    [cluster({ bmpServers: [{ name: 'b' }] }), 'spec.bgpInstances.0.bmpServers.0.peerAddress: '],
    [cluster({ bmpServers: [{ name: 'b', peerAddress: '::1', statisticsTimeout: 14 }] }), 'spec.bgpInstances.0.bmpServers.0.statistics'],
    [cluster({ bmpServers: [{ name: 'b', peerAddress: '::1', monitoringPolicy: 'x' }] }), 'spec.bgpInstances.0.bmpServers.0.monitoring'],
    [cluster({}, peer(), peer()), 'spec.bgpInstances.0.peers.1.name: another entry is named tor too'],
    [cluster({}, peer({ name: '' })), `${P}.name: `],
    [cluster({}, peer({ peerAddress: '192.0.2.256' })), `${P}.peerAddress: must be an IPv4 or IPv6 address`],
    [cluster({}, peer({ peerAddress: 'fe80::1%' })), `${P}.peerAddress: must be`],
    [cluster({}, peer({ peerAddress: '192.0.2.1%eth0' })), `${P}.peerAddress: must be`],
    [cluster({}, peer({ peerASN: -1 })), `${P}.peerASN: `],
    [cluster({}, peer({ peerASN: 4294967296 })), `${P}.peerASN: `],
    [cluster({}, peer({ peerConfigRef: {} })), `${P}.peerConfigRef.name: `],
    [cluster({}, { name: 'none' }), `${P}.peerAddress: one of peerAddress, peerRange and autoDiscovery is needed`],
    [cluster({}, peer({ peerRange: '10.0.0.0/8' })), `${P}.peerRange: excludes peerAddress`],
    [cluster({}, { name: 'a', peerRange: '10.0.0.0/8', autoDiscovery: { mode: 'NodeMesh' } }), `${P}.peerRange: excludes autoDiscovery`],
    [cluster({}, { name: 'a', peerRange: '10.0.0.0' }), `${P}.peerRange: must be an IPv4 or IPv6 network`],
    [cluster({}, peer({ autoDiscovery: { mode: 'Magic' } })), `${P}.autoDiscovery.mode: `],
    [cluster({}, peer({ autoDiscovery: { mode: 'DefaultGateway' } })), `${P}.autoDiscovery.defaultGateway: mode DefaultGateway needs it`],
    [
      cluster({}, peer({ autoDiscovery: { mode: 'DefaultGateway', defaultGateway: {} } })),
      `${P}.autoDiscovery.defaultGateway.addressFamily: `,
    ],
    [cluster({}, peer({ autoDiscovery: { mode: 'Unnumbered' } })), `${P}.autoDiscovery.unnumbered: mode Unnumbered needs it`],
    [
      cluster({}, peer({ autoDiscovery: { mode: 'Unnumbered', unnumbered: { interface: '' } } })),
      `${P}.autoDiscovery.unnumbered.interface: `,
    ],
    [cluster({}, peer({ autoDiscovery: { mode: 'NodeMesh' } })), `${P}.peerAddress: mode NodeMesh excludes it`],
    [
      cluster({}, { name: 'a', autoDiscovery: { mode: 'NodeMesh', nodeMesh: { routeReflector: { clusterID: 'x', nodeSelector: {} } } } }),
      `${P}.autoDiscovery.nodeMesh.routeReflector.clusterID: `,
    ],
  ])('refuses %j: %s', (spec, message) => {
    expect(refusal(CILIUM_BGP_CLUSTER_CONFIG, spec)).toContain(message);
  });
});

describe('CiliumBGPNodeConfig and its override', () => {
  const link = (fields: object) => cluster({ localASN: 65001, routerID: '10.0.0.1' }, { name: 'tor', peerInterface: 'eth1', ...fields });

  it('take link-local peers with an interface, and what overrides may say', () => {
    expect(refusal(CILIUM_BGP_NODE_CONFIG, link({ peerAddress: 'fe80::1' }))).toBe('accepted');
    expect(refusal(CILIUM_BGP_NODE_CONFIG, link({}))).toBe('accepted');
    const override = {
      name: 'main',
      routerID: '10.0.0.1',
      localPort: 179,
      localASN: 1,
      peers: [{ name: 'tor', localAddress: '::1', localPort: 9 }],
    };
    expect(refusal(CILIUM_BGP_NODE_CONFIG_OVERRIDE, { bgpInstances: [override] })).toBe('accepted');
  });

  it.each<[object, unknown, string]>([
    [CILIUM_BGP_NODE_CONFIG, link({ peerAddress: '192.0.2.1' }), `${P}.peerAddress: must be link-local`],
    [CILIUM_BGP_NODE_CONFIG, link({ peerAddress: 'fe80::1', localAddress: 'fe80::2' }), `${P}.localAddress: peerInterface excludes it`],
    [CILIUM_BGP_NODE_CONFIG, cluster({ routerID: '::1' }), 'spec.bgpInstances.0.routerID: '],
    [CILIUM_BGP_NODE_CONFIG, cluster({}, peer(), peer()), 'spec.bgpInstances.0.peers.1.name: '],
    [CILIUM_BGP_NODE_CONFIG_OVERRIDE, cluster({ routerID: 'x' }), 'spec.bgpInstances.0.routerID: '],
    [CILIUM_BGP_NODE_CONFIG_OVERRIDE, cluster({ localASN: 0 }), 'spec.bgpInstances.0.localASN: '],
    [CILIUM_BGP_NODE_CONFIG_OVERRIDE, cluster({}, { name: 'tor', localAddress: 'x' }), `${P}.localAddress: `],
    [CILIUM_BGP_NODE_CONFIG_OVERRIDE, cluster({}, { name: 'a' }, { name: 'a' }), 'spec.bgpInstances.0.peers.1.name: '],
  ])('%# refuse what cannot be', (kind, spec, message) => {
    expect(refusal(kind, spec)).toContain(message);
  });
});

describe('CiliumBGPPeerConfig', () => {
  it('takes and keeps all fields', () => {
    const spec = {
      transport: { peerPort: 1790, localPort: 9 },
      timers: { connectRetryTimeSeconds: 1, holdTimeSeconds: 9, keepAliveTimeSeconds: 9 },
      authSecretRef: 'tor-password',
      gracefulRestart: { enabled: true, restartTimeSeconds: 4095 },
      gtsmHops: 1,
      ebgpMultihop: 1,
      families: [
        { afi: 'ipv4', safi: 'unicast', advertisements: { matchLabels: { advertise: 'bgp' } } },
        { afi: 'l2vpn', safi: 'evpn' },
      ],
      bfd: { enabled: true, transmitIntervalMilliseconds: 50, receiveIntervalMilliseconds: 50, detectionMultiplier: 3 },
      maxPrefixes: 1000,
      routeImport: {
        mode: 'Filtered',
        rules: [
          {
            action: 'Accept',
            prefixes: [{ cidr: '10.0.0.0/8', minLength: 16, maxLength: 24 }],
            communities: ['65000:1', 'no-export', '1:2:3'],
            asPathContains: 65001,
            set: { localPreference: 200, med: 0, addCommunities: ['65000:2'] },
          },
          { action: 'Reject' },
        ],
      },
      routeReflectorClient: true,
      addPath: { send: true, receive: true },
      prepend: 10,
      med: 4294967295,
    };
    expect(parse(CILIUM_BGP_PEER_CONFIG, spec, 'v2alpha1')['spec']).toEqual(spec);
  });

  const rule = (fields: object) => ({ routeImport: { mode: 'Filtered', rules: [{ action: 'Accept', ...fields }] } });
  const R = 'spec.routeImport.rules.0';
  it.each<[unknown, string]>([
    [{ transport: { peerPort: 0 } }, 'spec.transport.peerPort: '],
    [{ timers: { connectRetryTimeSeconds: 0 } }, 'spec.timers.connectRetryTimeSeconds: '],
    [{ timers: { connectRetryTimeSeconds: 2147483648 } }, 'spec.timers.connectRetryTimeSeconds: '],
    [{ timers: { holdTimeSeconds: 2 } }, 'spec.timers.holdTimeSeconds: '],
    [{ timers: { holdTimeSeconds: 65536 } }, 'spec.timers.holdTimeSeconds: '],
    [{ timers: { keepAliveTimeSeconds: 0 } }, 'spec.timers.keepAliveTimeSeconds: '],
    [{ timers: { holdTimeSeconds: 9, keepAliveTimeSeconds: 10 } }, 'spec.timers.keepAliveTimeSeconds: must not be above the hold time, 9'],
    [{ timers: { keepAliveTimeSeconds: 91 } }, 'spec.timers.keepAliveTimeSeconds: must not be above the hold time, 90'],
    [{ authSecretRef: '' }, 'spec.authSecretRef: '],
    [{ gracefulRestart: { restartTimeSeconds: 1 } }, 'spec.gracefulRestart.enabled: '],
    [{ gracefulRestart: { enabled: true, restartTimeSeconds: 4096 } }, 'spec.gracefulRestart.restartTimeSeconds: '],
    [{ ebgpMultihop: 0 }, 'spec.ebgpMultihop: '],
    [{ ebgpMultihop: 256 }, 'spec.ebgpMultihop: '],
    [{ families: [{ afi: 'ipx', safi: 'unicast' }] }, 'spec.families.0.afi: '],
    [{ families: [{ afi: 'ipv4' }] }, 'spec.families.0.safi: '],
    [{ bfd: {} }, 'spec.bfd.enabled: '],
    [{ bfd: { enabled: true, transmitIntervalMilliseconds: 9 } }, 'spec.bfd.transmitIntervalMilliseconds: '],
    [{ bfd: { enabled: true, detectionMultiplier: 256 } }, 'spec.bfd.detectionMultiplier: '],
    [{ gtsmHops: 0 }, 'spec.gtsmHops: '],
    [{ gtsmHops: 1, ebgpMultihop: 2 }, 'spec.gtsmHops: excludes ebgpMultihop above 1'],
    [{ maxPrefixes: 0 }, 'spec.maxPrefixes: '],
    [{ prepend: 11 }, 'spec.prepend: '],
    [{ med: 4294967296 }, 'spec.med: '],
    [{ addPath: { send: 'yes' } }, 'spec.addPath.send: '],
    [{ routeReflectorClient: 1 }, 'spec.routeReflectorClient: '],
    [{ routeImport: { mode: 'Some' } }, 'spec.routeImport.mode: '],
    [{ routeImport: { mode: 'Filtered' } }, 'spec.routeImport.rules: mode Filtered needs at least one'],
    [{ routeImport: { mode: 'All', rules: [{ action: 'Reject' }] } }, 'spec.routeImport.rules: only mode Filtered takes rules'],
    [rule({ action: 'Maybe' }), `${R}.action: `],
    [rule({ prefixes: [{ cidr: '10.0.0.0' }] }), `${R}.prefixes.0.cidr: must be an IPv4 or IPv6 network`],
    [rule({ prefixes: [{ cidr: '10.0.0.0/16', minLength: 15 }] }), `${R}.prefixes.0.minLength: must be from 16 to 32`],
    [rule({ prefixes: [{ cidr: '10.0.0.0/16', maxLength: 33 }] }), `${R}.prefixes.0.maxLength: must be from 16 to 32`],
    [rule({ prefixes: [{ cidr: 'fd00::/16', minLength: 64, maxLength: 63 }] }), `${R}.prefixes.0.maxLength: must be from 64 to 128`],
    [rule({ communities: ['65536:1'] }), `${R}.communities.0: must be a community`],
    [rule({ asPathContains: 0 }), `${R}.asPathContains: `],
    [rule({ set: { addCommunities: ['x'] } }), `${R}.set.addCommunities.0: must be a community`],
    [rule({ action: 'Reject', set: { med: 1 } }), `${R}.set: goes with action Accept only`],
  ])('refuses %j: %s', (spec, message) => {
    expect(refusal(CILIUM_BGP_PEER_CONFIG, spec)).toContain(message);
  });
});

describe('CiliumBGPAdvertisement', () => {
  const entry = (fields: object) => ({ advertisements: [{ advertisementType: 'PodCIDR', ...fields }] });
  const service = (fields: object) => entry({ advertisementType: 'Service', service: { addresses: ['ClusterIP'], ...fields } });
  const communities = (fields: object) => entry({ attributes: { communities: fields } });

  it('takes and keeps all fields', () => {
    const spec = {
      advertisements: [
        {
          advertisementType: 'Service',
          service: { addresses: ['LoadBalancerIP', 'ClusterIP', 'ExternalIP'], aggregationLengthIPv4: 31, aggregationLengthIPv6: 0 },
          selector: { matchExpressions: [{ key: 'somekey', operator: 'NotIn', values: ['never'] }] },
          attributes: {
            communities: { standard: ['65000:99', '4294967295'], wellKnown: ['no-export', 'blackhole'], large: ['4294967295:1:2'] },
            localPreference: 99,
          },
        },
        { advertisementType: 'PodCIDR' },
        { advertisementType: 'CiliumPodIPPool', selector: {} },
        { advertisementType: 'Interface', interface: { name: 'lo' } },
      ],
    };
    expect(parse(CILIUM_BGP_ADVERTISEMENT, spec)['spec']).toEqual(spec);
  });

  const E = 'spec.advertisements.0';
  it.each<[unknown, string]>([
    [{}, 'spec.advertisements: '],
    [entry({ advertisementType: 'Everything' }), `${E}.advertisementType: `],
    [entry({ advertisementType: 'Service' }), `${E}.service: advertisementType Service needs it`],
    [entry({ advertisementType: 'Interface' }), `${E}.interface: advertisementType Interface needs it`],
    [service({ addresses: [] }), `${E}.service.addresses: `],
    [service({ addresses: ['PodIP'] }), `${E}.service.addresses.0: `],
    [service({ aggregationLengthIPv4: 32 }), `${E}.service.aggregationLengthIPv4: `],
    [service({ aggregationLengthIPv6: 128 }), `${E}.service.aggregationLengthIPv6: `],
    [communities({ standard: ['65536:0'] }), `${E}.attributes.communities.standard.0: must be a decimal number`],
    [communities({ standard: ['01:0'] }), `${E}.attributes.communities.standard.0: must be`],
    [communities({ standard: ['4294967296'] }), `${E}.attributes.communities.standard.0: must be`],
    [communities({ standard: ['no-export'] }), `${E}.attributes.communities.standard.0: must be`],
    [communities({ large: ['1:2'] }), `${E}.attributes.communities.large.0: must be three`],
    [communities({ wellKnown: ['secret'] }), `${E}.attributes.communities.wellKnown.0: `],
    [entry({ attributes: { localPreference: -1 } }), `${E}.attributes.localPreference: `],
  ])('refuses %j: %s', (spec, message) => {
    expect(refusal(CILIUM_BGP_ADVERTISEMENT, spec)).toContain(message);
  });
});
