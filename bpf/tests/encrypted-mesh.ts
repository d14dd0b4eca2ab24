import { ConfigFlag, type DatapathConfig, EndpointFlag, IpcacheFlag, PeerMode, PeerTx, ReservedIdentity } from '@isthmus/datapath';
import { Datapath } from './datapath.ts';
import { type PacketSpec, packet } from './packet.ts';

/** Port of the tunnel. */
export const VXLAN = 8472;
/** What cannot be encrypted is dropped. */
export const STRICT = ConfigFlag.encrypt | ConfigFlag.encryptStrict;
/** Number of the other node. */
export const PEER = 5;

/**
 * Addresses of this node (`host`, `other`) and its pod; of another `node`, and its pods: `remote`, and `unknown`, of which no more is known than the
 * `range` that it is in; and of a `stranger`.
 */
export const families = [
  {
    family: 'IPv4',
    host: '192.168.1.1',
    other: '127.0.0.7',
    pod: '10.0.0.2',
    node: '192.168.1.2',
    remote: '10.1.0.7',
    unknown: '10.1.0.99',
    range: ['10.1.0.0', 24],
    stranger: '192.0.2.1',
  },
  {
    family: 'IPv6',
    host: 'fd99::1',
    other: '::1',
    pod: 'fd00::2',
    node: 'fd99::2',
    remote: 'fd01::7',
    unknown: 'fd01::99',
    range: ['fd01::', 64],
    stranger: '2001:db8::1',
  },
] as const;

/** Loads an object of a node that knows all {@link families}, and sends to the other node by the even device. */
export function loadNode(object: string, config: Partial<DatapathConfig>): Datapath {
  const datapath = new Datapath(object, { tunnelPort: VXLAN, ...config });
  for (const { host, pod, node, remote, range } of families) {
    datapath.endpoint(host, { identity: ReservedIdentity.host, flags: EndpointFlag.ready | EndpointFlag.host });
    datapath.endpoint(pod, { ifindex: 99, identity: 1002, id: 12, flags: EndpointFlag.ready });
    datapath.learn(node, ReservedIdentity.remoteNode, PEER, IpcacheFlag.remoteNode | IpcacheFlag.tunnelHost);
    datapath.learn(remote, 2001, PEER);
    datapath.meshRange(range[0], range[1], PEER);
  }
  datapath.peer(PEER, '192.168.1.2', PeerMode.tunnel, PeerTx.even);
  return datapath;
}

/** The first 16 bytes of TCP and UDP packets: both begin with the ports. */
export const ports = (from: number, to: number): Uint8Array =>
  Uint8Array.from([from >> 8, from & 0xff, to >> 8, to & 0xff, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** A datagram to a port. */
export const udp = (to: number, from = 40_000): Partial<PacketSpec> => ({ payload: ports(from, to) });

/** A packet of IPv4 that says that it is the first fragment of a larger one, or a later one. */
export function ipv4Fragment(which: 'first' | 'later', spec: PacketSpec): Uint8Array {
  const bytes = packet(spec);
  bytes.set([0x20, which === 'first' ? 0 : 1], 14 + 6);
  return bytes;
}
