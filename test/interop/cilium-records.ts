import type { RecordKind, RecordRows } from '@isthmus/mesh';

/** Kinds of records that Cilium knows: all but our own. */
export const CILIUM_KINDS = ['nodes', 'identities', 'ips', 'services', 'serviceexports'] as const satisfies readonly RecordKind[];
/** One of them. */
export type CiliumKind = (typeof CILIUM_KINDS)[number];

/** Name and id of the cluster that test/interop/mesh/records.go writes. */
export const CILIUM = { cluster: 'cilium', clusterId: 7 } as const;

const FIRST = CILIUM.clusterId * 65_536;
const HOST = '192.0.2.7';
const map = (entries: Readonly<Record<string, string>>): ReadonlyMap<string, string> => new Map(Object.entries(entries));

const BARE_NODE: RecordRows['nodes'] = {
  ...CILIUM,
  name: 'bare',
  addresses: null,
  ipv4Cidr: '',
  ipv4SecondaryCidrs: null,
  ipv6Cidr: '',
  ipv6SecondaryCidrs: null,
  ipv4HealthIp: '',
  ipv6HealthIp: '',
  ipv4IngressIp: '',
  ipv6IngressIp: '',
  source: '',
  encryptionKey: 0,
  labels: null,
  annotations: null,
  wireguardPubKey: '',
  bootId: '',
};

const FULL_NODE: RecordRows['nodes'] = {
  ...CILIUM,
  name: 'worker-1',
  addresses: [
    { type: 'InternalIP', ip: HOST },
    { type: 'InternalIP', ip: '2001:db8:7::1' },
    { type: 'ExternalIP', ip: '198.51.100.7' },
    { type: 'CiliumInternalIP', ip: '10.77.1.1' },
  ],
  ipv4Cidr: '10.77.1.0/24',
  ipv4SecondaryCidrs: ['10.78.0.0/20'],
  ipv6Cidr: 'fd77:1::/64',
  ipv6SecondaryCidrs: ['fd78::/80'],
  ipv4HealthIp: '10.77.1.2',
  ipv6HealthIp: 'fd77:1::2',
  ipv4IngressIp: '10.77.1.3',
  ipv6IngressIp: 'fd77:1::3',
  source: 'custom-resource',
  encryptionKey: 5,
  labels: map({ html: '<&>', 'kubernetes.io/hostname': 'worker-1' }),
  annotations: map({ line: 'a\u2028b\nc' }),
  wireguardPubKey: '6NGzCkXx8qZK1UmqkgrDFjyXPCxU7oVjZsw4LSDJcRk=',
  bootId: '570d3fd1-0000-4000-8000-000000000000',
};

const labelsOf = (app: string): string[] => [
  `k8s:app=${app}`,
  'k8s:io.cilium.k8s.policy.cluster=cilium',
  'k8s:io.cilium.k8s.policy.serviceaccount=default',
  'k8s:io.kubernetes.pod.namespace=shop',
];

const address = (ip: string, identity: number, more: Partial<RecordRows['ips']> = {}): RecordRows['ips'] => ({
  ip,
  hostIp: HOST,
  identity,
  encryptionKey: 0,
  namespace: '',
  podName: '',
  podUid: '',
  serviceAccount: '',
  namedPorts: [],
  ...more,
});
const WEB = { namespace: 'shop', podName: 'web-1' };

const BARE_SERVICE: RecordRows['services'] = {
  ...CILIUM,
  namespace: 'shop',
  name: 'bare',
  frontends: [],
  backends: [],
  hostnames: new Map(),
  zones: new Map(),
  labels: null,
  selector: null,
  includeExternal: true,
  shared: true,
};

const FULL_SERVICE: RecordRows['services'] = {
  ...BARE_SERVICE,
  name: 'web',
  frontends: [
    {
      ip: '10.97.0.10',
      ports: [
        { name: 'dns', protocol: 'UDP', port: 53 },
        { name: 'http', protocol: 'TCP', port: 80 },
      ],
    },
  ],
  backends: [
    {
      ip: '10.77.1.10',
      ports: [
        { name: 'dns', protocol: 'UDP', port: 5353 },
        { name: 'http', protocol: 'TCP', port: 8080 },
      ],
    },
    { ip: 'fd77:1::10', ports: [{ name: '', protocol: 'SCTP', port: 9 }] },
  ],
  hostnames: map({ '10.77.1.10': 'web-1' }),
  zones: new Map([['10.77.1.10', { zone: 'z1', forZones: ['z1', 'z2'] }]]),
  labels: map({ app: 'web' }),
  selector: map({ app: 'web' }),
};

const BARE_EXPORT: RecordRows['serviceexports'] = {
  cluster: CILIUM.cluster,
  namespace: 'shop',
  name: 'bare',
  annotations: null,
  labels: null,
  exportCreationTimestamp: '2024-05-01T10:00:00Z',
  ports: null,
  type: 'ClusterSetIP',
  sessionAffinity: 'None',
  sessionAffinityTimeout: undefined,
  ipFamilies: [],
  internalTrafficPolicy: undefined,
  trafficDistribution: undefined,
};

const FULL_EXPORT: RecordRows['serviceexports'] = {
  ...BARE_EXPORT,
  name: 'web',
  annotations: map({ note: 'exported' }),
  labels: map({ tier: 'front' }),
  ports: [
    { name: 'http', protocol: 'TCP', appProtocol: 'kubernetes.io/h2c', port: 80 },
    { name: '', protocol: 'UDP', appProtocol: undefined, port: 53 },
  ],
  type: 'Headless',
  sessionAffinity: 'ClientIP',
  sessionAffinityTimeout: 600,
  ipFamilies: ['IPv4', 'IPv6'],
  internalTrafficPolicy: 'Local',
  trafficDistribution: 'PreferSameZone',
};

/** Every field of every record that Cilium's writers wrote, as it must be understood. `host` of a remote is `remote-node`, 6. */
export const CILIUM_RECORDS: { readonly [K in CiliumKind]: Readonly<Record<string, RecordRows[K]>> } = {
  nodes: { bare: BARE_NODE, 'worker-1': FULL_NODE },
  identities: {
    [FIRST + 300]: { id: FIRST + 300, labels: labelsOf('web') },
    [FIRST + 301]: { id: FIRST + 301, labels: labelsOf('') },
  },
  ips: {
    '10.77.1.10': address('10.77.1.10', FIRST + 300, {
      ...WEB,
      encryptionKey: 5,
      serviceAccount: 'default',
      namedPorts: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    }),
    'fd77:1::10': address('fd77:1::10', FIRST + 301, WEB),
    '10.79.0.0/16': address('10.79.0.0/16', FIRST + 300),
    '10.77.1.2': address('10.77.1.2', 4),
    '10.77.1.1': address('10.77.1.1', 6),
  },
  services: { 'shop/bare': BARE_SERVICE, 'shop/web': FULL_SERVICE },
  serviceexports: { 'shop/bare': BARE_EXPORT, 'shop/web': FULL_EXPORT },
};
