import { z } from 'zod';
import { parseLabelSelector } from '../resource/label-selector-text.ts';
import { ROUTING_MODES, TUNNEL_PROTOCOLS } from './tunnel.ts';

const flag = z.stringbool();
const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const list = z.string().transform((text) => text.split(/[\s,]+/).filter((part) => part !== ''));
const path = z.string().min(1);
const cidr = z.union([z.cidrv4(), z.cidrv6(), z.literal('')]);

const MAX_ROWS = 16_777_216;
const rows = (map: string, what: string) =>
  count(0, MAX_ROWS).default(0).describe(`Rows of the BPF map ${map} (${what}); as many as it is built with when 0`);

/**
 * Every setting of every process, by key. Values arrive as text from flags, files and mounted ConfigMaps. Keys that `cilium-config` has
 * under the same name mean the same here.
 */
export const configSchema = {
  'cluster-name': z.string().default('default').describe('Name of this cluster: lower-case, at most 32 characters, unique in the mesh'),
  'cluster-id': count(0, 511)
    .default(0)
    .describe('Number of this cluster, 1 to max-connected-clusters, unique in the mesh; 0: not in a mesh'),
  'max-connected-clusters': z.enum(['255', '511']).default('255').describe('Size of the mesh; the same in every cluster'),
  'node-name': z.string().default('').describe('Name of this node; the host name when empty'),
  'etcd-config': path.default('/var/lib/isthmus/etcd-config.yaml').describe('etcd client file of the cluster etcd'),
  'mesh-etcd-config': z.string().default('').describe('etcd client file of the mesh etcd; empty: no mesh'),
  'clustermesh-config': path.default('/var/lib/cilium/clustermesh').describe('Folder with one etcd client file per remote cluster'),
  'clustermesh-sync-timeout': count(0, 3600).default(60).describe('Seconds that readiness waits for remote clusters'),
  'clustermesh-remote-size-limit': count(1, 65_536)
    .default(256)
    .describe('MiB of records that one remote cluster may have here; what is more is not taken'),
  'state-dir': path.default('/var/run/isthmus').describe('Where the process keeps what must survive its restart'),
  'socket-path': path.default('/var/run/isthmus/isthmus.sock').describe('Unix socket of the agent'),
  'enable-bgp-control-plane-status-report': flag
    .default(true)
    .describe('Agents write how their BGP sessions are into the status of their CiliumBGPNodeConfig'),
  'bfd-socket-path': path.default('/var/run/isthmus/bfd.sock').describe('Unix socket of the BFD process'),
  'bpf-root': path.default('/sys/fs/bpf/isthmus').describe('Folder for pinned maps and links'),
  'bpf-endpoints-max': rows('isth_endpoints', 'addresses of this node and its pods'),
  'bpf-ipcache-max': rows('isth_ipcache', 'addresses of the mesh'),
  'bpf-peers-max': rows('isth_peers', 'other nodes'),
  'bpf-services-max': rows('isth_services', 'frontends and their slots'),
  'bpf-backends-max': rows('isth_backends', 'backends of services'),
  'bpf-revnat-max': rows('isth_revnat', 'frontends by number'),
  'bpf-sock-nat-max': rows('isth_sock_nat', 'translated sockets'),
  'bpf-object-dir': z.string().default('').describe('Folder with the compiled BPF objects; the one built with the sources when empty'),
  'cgroup-root': z.string().default('').describe('cgroup2 folder whose sockets are translated; the cgroup2 mount when empty'),
  devices: list.prefault('').describe('Physical devices; those of the default route when empty'),
  'node-ipv4': z
    .union([z.ipv4(), z.literal('')])
    .default('')
    .describe('Address that other nodes send to; when empty, the one that the default route names as its source, or the one of the device'),
  'node-ipv6': z
    .union([z.ipv6(), z.literal('')])
    .default('')
    .describe('The same for IPv6'),
  'enable-ipv4': flag.default(true).describe('Pods get IPv4 addresses'),
  'enable-ipv6': flag.default(true).describe('Pods get IPv6 addresses'),
  'enable-tcx': flag
    .default(false)
    .describe(
      "Pods' devices have TCX links where the kernel has them: leaves their ingress qdisc to others, but makes each CNI ADD slower",
    ),
  'routing-mode': z
    .enum(ROUTING_MODES)
    .default('tunnel')
    .describe(
      'How packets reach other nodes: `tunnel`; `native`, by routes learned over BGP or not at all; `auto`, natively where there is a route',
    ),
  'tunnel-protocol': z
    .enum(TUNNEL_PROTOCOLS)
    .default('vxlan')
    .describe('Encapsulation between nodes; the same in every cluster of the mesh'),
  'tunnel-port': count(0, 65535).default(0).describe('UDP port of the tunnel; 8472 for VXLAN, 6081 for GENEVE when 0'),
  mtu: count(0, 65535).default(0).describe('MTU of the underlay; that of the device when 0'),
  'enable-wireguard': flag
    .default(false)
    .describe('What goes to other nodes is encrypted, or dropped; the same in every cluster of the mesh'),
  'encrypt-node': flag
    .default(false)
    .describe("The nodes' own packets to each other are encrypted too, but for those that encryption itself needs (see the guide)"),
  'node-encryption-opt-out-labels': z
    .string()
    .refine((text) => text === '' || parseLabelSelector(text) !== undefined, 'must be a label selector, such as a=b,c in (d,e),f,!g')
    .default('')
    .describe('Nodes whose CiliumNode has such labels send their own packets, and get those of other nodes, as they are; none when empty'),
  'encryption-strict-mode': flag
    .default(true)
    .describe('Off, while a mesh changes to encryption: what has no way to be encrypted goes out as it is, and plain packets are taken'),
  'wireguard-rotation-interval': count(0, 31_536_000)
    .default(86_400)
    .describe('Seconds between two changes of all keys of the mesh; 0: only when somebody asks for one'),
  'wireguard-max-overlap': count(5, 604_800)
    .default(3600)
    .describe('Seconds that a node which does not come along holds up the next change of keys; then nothing is sent to it until it does'),
  'wireguard-follow-interval': count(1, 86_400)
    .default(600)
    .describe('Seconds between two changes of keys that other clusters ask for, on average; up to eight may come at once'),
  'wireguard-drain': count(1, 3600)
    .default(3)
    .describe('Seconds that old keys are kept after both nodes have said that they send by new ones'),
  'wireguard-exclude-peers': list
    .prefault('')
    .describe(
      'Clusters, and nodes as `<cluster>/<node>`, that nothing is sent to; those that know of no epochs do not block new keys then',
    ),
  'wireguard-pq': z
    .enum(['off', 'preferred', 'required'])
    .default('preferred')
    .describe(
      'Preshared keys by ML-KEM, which keep recorded traffic safe from quantum computers: where both nodes can, or with every node, and nothing is sent without',
    ),
  'ipam-reuse-delay': count(0, 3600).default(30).describe('Seconds before a released pod address is given out again'),
  'cluster-pool-ipv4-cidr': list.prefault('10.0.0.0/8').describe('Pools that nodes get their IPv4 pod CIDRs from'),
  'cluster-pool-ipv4-mask-size': count(8, 30).default(24).describe("Size of a node's IPv4 pod CIDR"),
  'cluster-pool-ipv6-cidr': list.prefault('fd00::/104').describe('Pools that nodes get their IPv6 pod CIDRs from'),
  'cluster-pool-ipv6-mask-size': count(16, 126).default(120).describe("Size of a node's IPv6 pod CIDR"),
  'service-cidr-ipv4': cidr.default('').describe('Range of cluster IPs that the operator gives to services'),
  'service-cidr-ipv6': cidr.default('').describe('The same for IPv6'),
  'bgp-secrets-namespace': z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a name of lower-case letters, digits and - (RFC 1123)')
    .default('kube-system')
    .describe('Namespace of the Secrets with passwords of BGP peers; agents and the operator may read its Secrets, and no others'),
  'identity-gc-interval': count(1, 86_400)
    .default(900)
    .describe('Seconds between two passes over the identities; unused ones go after two'),
  'nodes-gc-interval': count(1, 86_400).default(300).describe('Seconds between two passes over the nodes'),
  'leader-lease-duration': count(1, 3600).default(15).describe('Seconds after which a silent operator is replaced'),
  'mesh-lease-duration': count(5, 86_400)
    .default(900)
    .describe('Seconds that heartbeat, cluster config and canaries outlive the apiserver'),
  'heartbeat-interval': count(1, 600).default(60).describe('Seconds between two heartbeats of the mesh etcd'),
  'clustermesh-default-global-namespace': flag.default(true).describe('Namespaces without the annotation are exported'),
  'join-api-address': z.string().default('0.0.0.0:4280').describe('Where the join API listens (HTTPS)'),
  'join-api-public-endpoint': z.string().default('').describe('How others reach the join API; the listening address when empty'),
  'join-api-endpoint': z
    .string()
    .default('')
    .describe("Where an agent renews its node's certificates: its cluster's join API, as host:port; empty: nowhere"),
  'certificate-lifetime': count(30, 315_360_000)
    .default(31_536_000)
    .describe('Seconds that certificates are good for; each is renewed soon after half of that'),
  'mesh-etcd-endpoints': list.prefault('').describe('How remote clusters reach the mesh etcd: https URLs, comma-separated'),
  'cluster-etcd-endpoints': list.prefault('').describe('How agents reach the cluster etcd: https URLs, comma-separated'),
  'pki-dir': path.default('/var/lib/isthmus/pki').describe("Folder with the cluster's CA and the certificates of its control plane"),
  'prometheus-serve-addr': z.string().default('').describe('Where metrics and health are served over plain HTTP; empty: nowhere'),
  'log-level': z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info').describe('Least severe log lines that are written'),
} as const;

/** A setting's key. */
export type ConfigKey = keyof typeof configSchema;
/** All settings, parsed. */
export type Config = { readonly [K in ConfigKey]: z.output<(typeof configSchema)[K]> };

/** Every key, in order of the schema. */
export const CONFIG_KEYS = Object.keys(configSchema) as ConfigKey[];
