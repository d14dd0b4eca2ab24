// Written by scripts/generate-layouts.ts from the BTF of bpf/layouts.bpf.c. Do not edit: change bpf/lib and generate again.

/**
 * Where rows are written and read. A view over each row's own bytes would move them out of the heap: ten times the cost of the row.
 */
const scratch = new Uint8Array(176);
const words = new DataView(scratch.buffer);

function encoded(size: number): Uint8Array {
  return scratch.slice(0, size);
}

function cleared(size: number): DataView {
  scratch.fill(0, 0, size);
  return words;
}

/** The bytes where they can be read: where they are, or a copy. */
function readable(bytes: Uint8Array | DataView, size: number): DataView {
  if (bytes instanceof DataView) return bytes;
  if (bytes.length < size) throw new RangeError(`${bytes.length} bytes given, ${size} wanted`);
  scratch.set(bytes.length === size ? bytes : bytes.subarray(0, size));
  return words;
}

function putBytes(to: DataView, offset: number, length: number, from: Uint8Array, field: string): void {
  if (from.length > length) throw new RangeError(`${field}: ${from.length} bytes given, at most ${length} fit`);
  for (let i = 0; i < from.length; i++) to.setUint8(offset + i, from[i] as number);
}

function getBytes(from: DataView, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = from.getUint8(offset + i);
  return bytes;
}

/** `enum addr_family`. */
export const AddrFamily = {
  ipv4: 1,
  ipv6: 2,
} as const;
/** A value of {@link AddrFamily}. */
export type AddrFamily = (typeof AddrFamily)[keyof typeof AddrFamily];

/** `enum config_flag`. */
export const ConfigFlag = {
  dualStack: 1,
  geneve: 2,
  native: 4,
  encrypt: 8,
  encryptNode: 16,
  encryptStrict: 32,
} as const;
/** A value of {@link ConfigFlag}. */
export type ConfigFlag = (typeof ConfigFlag)[keyof typeof ConfigFlag];

/** `enum direction`. */
export const Direction = {
  ingress: 1,
  egress: 2,
  service: 3,
} as const;
/** A value of {@link Direction}. */
export type Direction = (typeof Direction)[keyof typeof Direction];

/** `enum drop_reason`. */
export const DropReason = {
  invalidSource: 132,
  policyDenied: 133,
  invalidPacket: 134,
  fragNeeded: 136,
  unknownL3: 139,
  writeError: 141,
  noTunnelKey: 147,
  invalidGeneve: 149,
  unroutable: 151,
  fragmentUnsupported: 157,
  noBackend: 158,
  noTunnelEndpoint: 160,
  noFib: 169,
  encapProhibited: 170,
  invalidIdentity: 171,
  unencryptedTraffic: 195,
  ttlExceeded: 196,
  endpointNotReady: 203,
  noDevice: 206,
} as const;
/** A value of {@link DropReason}. */
export type DropReason = (typeof DropReason)[keyof typeof DropReason];

/** `enum endpoint_flag`. */
export const EndpointFlag = {
  ready: 1,
  host: 2,
  enforceIngress: 4,
  enforceEgress: 8,
} as const;
/** A value of {@link EndpointFlag}. */
export type EndpointFlag = (typeof EndpointFlag)[keyof typeof EndpointFlag];

/** `enum event_constant`. */
export const EventConstant = {
  version: 1,
  captureMax: 128,
} as const;
/** A value of {@link EventConstant}. */
export type EventConstant = (typeof EventConstant)[keyof typeof EventConstant];

/** `enum event_flag`. */
export const EventFlag = {
  ip: 1,
  socket: 2,
} as const;
/** A value of {@link EventFlag}. */
export type EventFlag = (typeof EventFlag)[keyof typeof EventFlag];

/** `enum event_type`. */
export const EventType = {
  drop: 1,
  trace: 2,
  verdict: 3,
  socket: 4,
} as const;
/** A value of {@link EventType}. */
export type EventType = (typeof EventType)[keyof typeof EventType];

/** `enum ipcache_constant`. */
export const IpcacheConstant = {
  exactBits: 32,
} as const;
/** A value of {@link IpcacheConstant}. */
export type IpcacheConstant = (typeof IpcacheConstant)[keyof typeof IpcacheConstant];

/** `enum ipcache_flag`. */
export const IpcacheFlag = {
  remoteNode: 1,
  tunnelHost: 2,
  inTheClear: 4,
} as const;
/** A value of {@link IpcacheFlag}. */
export type IpcacheFlag = (typeof IpcacheFlag)[keyof typeof IpcacheFlag];

/** `enum map_limit`. */
export const MapLimit = {
  endpoints: 16384,
  ipcache: 512000,
  peers: 65536,
  meshRanges: 131072,
  encryptExempt: 1024,
  services: 262144,
  backends: 131072,
  revnat: 65536,
  sockNat: 65536,
  metrics: 1024,
  eventRingBytes: 4194304,
} as const;
/** A value of {@link MapLimit}. */
export type MapLimit = (typeof MapLimit)[keyof typeof MapLimit];

/** `enum mark_bits`. */
export const MarkBits = {
  kindMask: 3840,
  kindNone: 0,
  kindToProxy: 512,
  kindProxyIngress: 2560,
  kindProxyEgress: 2816,
  kindHost: 3072,
  kindDecrypted: 3328,
  kindEncrypted: 3584,
  kindIdentity: 3840,
  othersMask: 61440,
} as const;
/** A value of {@link MarkBits}. */
export type MarkBits = (typeof MarkBits)[keyof typeof MarkBits];

/** `enum metric_reason`. */
export const MetricReason = {
  forwarded: 0,
  eventLost: 128,
} as const;
/** A value of {@link MetricReason}. */
export type MetricReason = (typeof MetricReason)[keyof typeof MetricReason];

/** `enum peer_mode`. */
export const PeerMode = {
  tunnel: 1,
  native: 2,
  closed: 3,
} as const;
/** A value of {@link PeerMode}. */
export type PeerMode = (typeof PeerMode)[keyof typeof PeerMode];

/** `enum peer_tx`. */
export const PeerTx = {
  closed: 0,
  even: 1,
  odd: 2,
} as const;
/** A value of {@link PeerTx}. */
export type PeerTx = (typeof PeerTx)[keyof typeof PeerTx];

/** `enum reserved_identity`. */
export const ReservedIdentity = {
  unknown: 0,
  host: 1,
  world: 2,
  remoteNode: 6,
  worldIpv4: 9,
  worldIpv6: 10,
  firstAllocated: 256,
} as const;
/** A value of {@link ReservedIdentity}. */
export type ReservedIdentity = (typeof ReservedIdentity)[keyof typeof ReservedIdentity];

/** `enum sock_nat_direction`. */
export const SockNatDirection = {
  reverse: 0,
  forward: 1,
} as const;
/** A value of {@link SockNatDirection}. */
export type SockNatDirection = (typeof SockNatDirection)[keyof typeof SockNatDirection];

/** `enum socket_event`. */
export const SocketEvent = {
  translated: 1,
  reversed: 2,
} as const;
/** A value of {@link SocketEvent}. */
export type SocketEvent = (typeof SocketEvent)[keyof typeof SocketEvent];

/** `enum trace_point`. */
export const TracePoint = {
  toEndpoint: 0,
  toProxy: 1,
  toHost: 2,
  toStack: 3,
  toOverlay: 4,
  fromEndpoint: 5,
  fromProxy: 6,
  fromHost: 7,
  fromStack: 8,
  fromOverlay: 9,
  fromNetwork: 10,
  toNetwork: 11,
  fromCrypto: 12,
  toCrypto: 13,
} as const;
/** A value of {@link TracePoint}. */
export type TracePoint = (typeof TracePoint)[keyof typeof TracePoint];

/** `struct addr_key`. */
export interface AddrKey {
  net: number;
  family: number;
  addr: Uint8Array;
}

/** Size and offsets of {@link AddrKey}, in bytes. */
export const addrKeyLayout = {
  size: 20,
  fields: { net: 0, family: 2, addr: 4 },
} as const;

function putAddrKey(to: DataView, offset: number, value: AddrKey): void {
  to.setUint16(offset, value.net, true);
  to.setUint8(offset + 2, value.family);
  putBytes(to, offset + 4, 16, value.addr, 'addr_key.addr');
}

function getAddrKey(from: DataView, offset: number): AddrKey {
  return {
    net: from.getUint16(offset, true),
    family: from.getUint8(offset + 2),
    addr: getBytes(from, offset + 4, 16),
  };
}

/** {@link AddrKey} as the kernel has it; padding is zero. */
export function encodeAddrKey(value: AddrKey): Uint8Array {
  putAddrKey(cleared(20), 0, value);
  return encoded(20);
}

/** The inverse of {@link encodeAddrKey}. @throws RangeError when there are fewer than 20 bytes */
export function decodeAddrKey(bytes: Uint8Array | DataView): AddrKey {
  return getAddrKey(readable(bytes, 20), 0);
}

/** `struct backend_value`. */
export interface BackendValue {
  addr: AddrKey;
  port: number;
  protocol: number;
  flags: number;
  cluster: number;
}

/** Size and offsets of {@link BackendValue}, in bytes. */
export const backendValueLayout = {
  size: 28,
  fields: { addr: 0, port: 20, protocol: 22, flags: 23, cluster: 24 },
} as const;

function putBackendValue(to: DataView, offset: number, value: BackendValue): void {
  putAddrKey(to, offset, value.addr);
  to.setUint16(offset + 20, value.port, false);
  to.setUint8(offset + 22, value.protocol);
  to.setUint8(offset + 23, value.flags);
  to.setUint16(offset + 24, value.cluster, true);
}

function getBackendValue(from: DataView, offset: number): BackendValue {
  return {
    addr: getAddrKey(from, offset),
    port: from.getUint16(offset + 20, false),
    protocol: from.getUint8(offset + 22),
    flags: from.getUint8(offset + 23),
    cluster: from.getUint16(offset + 24, true),
  };
}

/** {@link BackendValue} as the kernel has it; padding is zero. */
export function encodeBackendValue(value: BackendValue): Uint8Array {
  putBackendValue(cleared(28), 0, value);
  return encoded(28);
}

/** The inverse of {@link encodeBackendValue}. @throws RangeError when there are fewer than 28 bytes */
export function decodeBackendValue(bytes: Uint8Array | DataView): BackendValue {
  return getBackendValue(readable(bytes, 28), 0);
}

/** `struct datapath_config`. */
export interface DatapathConfig {
  flags: number;
  tunnelIfindex: number;
  tunnelMtu: number;
  tunnelPort: number;
  hostMac: Uint8Array;
  hostIfindex: number;
  underlayIpv4: Uint8Array;
  underlayIpv6: Uint8Array;
  gatewayIpv4: Uint8Array;
  gatewayIpv6: Uint8Array;
  wireguardEvenIfindex: number;
  wireguardOddIfindex: number;
}

/** Size and offsets of {@link DatapathConfig}, in bytes. */
export const datapathConfigLayout = {
  size: 72,
  fields: { flags: 0, tunnelIfindex: 4, tunnelMtu: 8, tunnelPort: 12, hostMac: 14, hostIfindex: 20, underlayIpv4: 24, underlayIpv6: 28, gatewayIpv4: 44, gatewayIpv6: 48, wireguardEvenIfindex: 64, wireguardOddIfindex: 68 },
} as const;

function putDatapathConfig(to: DataView, offset: number, value: DatapathConfig): void {
  to.setUint32(offset, value.flags, true);
  to.setUint32(offset + 4, value.tunnelIfindex, true);
  to.setUint32(offset + 8, value.tunnelMtu, true);
  to.setUint16(offset + 12, value.tunnelPort, false);
  putBytes(to, offset + 14, 6, value.hostMac, 'datapath_config.host_mac');
  to.setUint32(offset + 20, value.hostIfindex, true);
  putBytes(to, offset + 24, 4, value.underlayIpv4, 'datapath_config.underlay_ipv4');
  putBytes(to, offset + 28, 16, value.underlayIpv6, 'datapath_config.underlay_ipv6');
  putBytes(to, offset + 44, 4, value.gatewayIpv4, 'datapath_config.gateway_ipv4');
  putBytes(to, offset + 48, 16, value.gatewayIpv6, 'datapath_config.gateway_ipv6');
  to.setUint32(offset + 64, value.wireguardEvenIfindex, true);
  to.setUint32(offset + 68, value.wireguardOddIfindex, true);
}

function getDatapathConfig(from: DataView, offset: number): DatapathConfig {
  return {
    flags: from.getUint32(offset, true),
    tunnelIfindex: from.getUint32(offset + 4, true),
    tunnelMtu: from.getUint32(offset + 8, true),
    tunnelPort: from.getUint16(offset + 12, false),
    hostMac: getBytes(from, offset + 14, 6),
    hostIfindex: from.getUint32(offset + 20, true),
    underlayIpv4: getBytes(from, offset + 24, 4),
    underlayIpv6: getBytes(from, offset + 28, 16),
    gatewayIpv4: getBytes(from, offset + 44, 4),
    gatewayIpv6: getBytes(from, offset + 48, 16),
    wireguardEvenIfindex: from.getUint32(offset + 64, true),
    wireguardOddIfindex: from.getUint32(offset + 68, true),
  };
}

/** {@link DatapathConfig} as the kernel has it; padding is zero. */
export function encodeDatapathConfig(value: DatapathConfig): Uint8Array {
  putDatapathConfig(cleared(72), 0, value);
  return encoded(72);
}

/** The inverse of {@link encodeDatapathConfig}. @throws RangeError when there are fewer than 72 bytes */
export function decodeDatapathConfig(bytes: Uint8Array | DataView): DatapathConfig {
  return getDatapathConfig(readable(bytes, 72), 0);
}

/** `struct datapath_event`. */
export interface DatapathEvent {
  version: number;
  type: number;
  subtype: number;
  endpoint: number;
  direction: number;
  flags: number;
  timeNs: bigint;
  sourceIdentity: number;
  destinationIdentity: number;
  ifindex: number;
  originalLength: number;
  capturedLength: number;
  argument: number;
  cookie: bigint;
  capture: Uint8Array;
}

/** Size and offsets of {@link DatapathEvent}, in bytes. */
export const datapathEventLayout = {
  size: 176,
  fields: { version: 0, type: 1, subtype: 2, endpoint: 4, direction: 6, flags: 7, timeNs: 8, sourceIdentity: 16, destinationIdentity: 20, ifindex: 24, originalLength: 28, capturedLength: 32, argument: 36, cookie: 40, capture: 48 },
} as const;

function putDatapathEvent(to: DataView, offset: number, value: DatapathEvent): void {
  to.setUint8(offset, value.version);
  to.setUint8(offset + 1, value.type);
  to.setUint16(offset + 2, value.subtype, true);
  to.setUint16(offset + 4, value.endpoint, true);
  to.setUint8(offset + 6, value.direction);
  to.setUint8(offset + 7, value.flags);
  to.setBigUint64(offset + 8, value.timeNs, true);
  to.setUint32(offset + 16, value.sourceIdentity, true);
  to.setUint32(offset + 20, value.destinationIdentity, true);
  to.setUint32(offset + 24, value.ifindex, true);
  to.setUint32(offset + 28, value.originalLength, true);
  to.setUint32(offset + 32, value.capturedLength, true);
  to.setUint32(offset + 36, value.argument, true);
  to.setBigUint64(offset + 40, value.cookie, true);
  putBytes(to, offset + 48, 128, value.capture, 'datapath_event.capture');
}

function getDatapathEvent(from: DataView, offset: number): DatapathEvent {
  return {
    version: from.getUint8(offset),
    type: from.getUint8(offset + 1),
    subtype: from.getUint16(offset + 2, true),
    endpoint: from.getUint16(offset + 4, true),
    direction: from.getUint8(offset + 6),
    flags: from.getUint8(offset + 7),
    timeNs: from.getBigUint64(offset + 8, true),
    sourceIdentity: from.getUint32(offset + 16, true),
    destinationIdentity: from.getUint32(offset + 20, true),
    ifindex: from.getUint32(offset + 24, true),
    originalLength: from.getUint32(offset + 28, true),
    capturedLength: from.getUint32(offset + 32, true),
    argument: from.getUint32(offset + 36, true),
    cookie: from.getBigUint64(offset + 40, true),
    capture: getBytes(from, offset + 48, 128),
  };
}

/** {@link DatapathEvent} as the kernel has it; padding is zero. */
export function encodeDatapathEvent(value: DatapathEvent): Uint8Array {
  putDatapathEvent(cleared(176), 0, value);
  return encoded(176);
}

/** The inverse of {@link encodeDatapathEvent}. @throws RangeError when there are fewer than 176 bytes */
export function decodeDatapathEvent(bytes: Uint8Array | DataView): DatapathEvent {
  return getDatapathEvent(readable(bytes, 176), 0);
}

/** `struct encrypt_exempt_key`. */
export interface EncryptExemptKey {
  protocol: number;
  port: number;
}

/** Size and offsets of {@link EncryptExemptKey}, in bytes. */
export const encryptExemptKeyLayout = {
  size: 4,
  fields: { protocol: 0, port: 2 },
} as const;

function putEncryptExemptKey(to: DataView, offset: number, value: EncryptExemptKey): void {
  to.setUint8(offset, value.protocol);
  to.setUint16(offset + 2, value.port, false);
}

function getEncryptExemptKey(from: DataView, offset: number): EncryptExemptKey {
  return {
    protocol: from.getUint8(offset),
    port: from.getUint16(offset + 2, false),
  };
}

/** {@link EncryptExemptKey} as the kernel has it; padding is zero. */
export function encodeEncryptExemptKey(value: EncryptExemptKey): Uint8Array {
  putEncryptExemptKey(cleared(4), 0, value);
  return encoded(4);
}

/** The inverse of {@link encodeEncryptExemptKey}. @throws RangeError when there are fewer than 4 bytes */
export function decodeEncryptExemptKey(bytes: Uint8Array | DataView): EncryptExemptKey {
  return getEncryptExemptKey(readable(bytes, 4), 0);
}

/** `struct endpoint_value`. */
export interface EndpointValue {
  ifindex: number;
  identity: number;
  id: number;
  flags: number;
  policyId: number;
  generation: number;
  rate: number;
  class: number;
  mac: Uint8Array;
  nodeMac: Uint8Array;
}

/** Size and offsets of {@link EndpointValue}, in bytes. */
export const endpointValueLayout = {
  size: 40,
  fields: { ifindex: 0, identity: 4, id: 8, flags: 10, policyId: 12, generation: 16, rate: 20, class: 24, mac: 26, nodeMac: 32 },
} as const;

function putEndpointValue(to: DataView, offset: number, value: EndpointValue): void {
  to.setUint32(offset, value.ifindex, true);
  to.setUint32(offset + 4, value.identity, true);
  to.setUint16(offset + 8, value.id, true);
  to.setUint16(offset + 10, value.flags, true);
  to.setUint32(offset + 12, value.policyId, true);
  to.setUint32(offset + 16, value.generation, true);
  to.setUint32(offset + 20, value.rate, true);
  to.setUint16(offset + 24, value.class, true);
  putBytes(to, offset + 26, 6, value.mac, 'endpoint_value.mac');
  putBytes(to, offset + 32, 6, value.nodeMac, 'endpoint_value.node_mac');
}

function getEndpointValue(from: DataView, offset: number): EndpointValue {
  return {
    ifindex: from.getUint32(offset, true),
    identity: from.getUint32(offset + 4, true),
    id: from.getUint16(offset + 8, true),
    flags: from.getUint16(offset + 10, true),
    policyId: from.getUint32(offset + 12, true),
    generation: from.getUint32(offset + 16, true),
    rate: from.getUint32(offset + 20, true),
    class: from.getUint16(offset + 24, true),
    mac: getBytes(from, offset + 26, 6),
    nodeMac: getBytes(from, offset + 32, 6),
  };
}

/** {@link EndpointValue} as the kernel has it; padding is zero. */
export function encodeEndpointValue(value: EndpointValue): Uint8Array {
  putEndpointValue(cleared(40), 0, value);
  return encoded(40);
}

/** The inverse of {@link encodeEndpointValue}. @throws RangeError when there are fewer than 40 bytes */
export function decodeEndpointValue(bytes: Uint8Array | DataView): EndpointValue {
  return getEndpointValue(readable(bytes, 40), 0);
}

/** `struct event_socket`. */
export interface EventSocket {
  service: AddrKey;
  backend: AddrKey;
  servicePort: number;
  backendPort: number;
  protocol: number;
}

/** Size and offsets of {@link EventSocket}, in bytes. */
export const eventSocketLayout = {
  size: 48,
  fields: { service: 0, backend: 20, servicePort: 40, backendPort: 42, protocol: 44 },
} as const;

function putEventSocket(to: DataView, offset: number, value: EventSocket): void {
  putAddrKey(to, offset, value.service);
  putAddrKey(to, offset + 20, value.backend);
  to.setUint16(offset + 40, value.servicePort, false);
  to.setUint16(offset + 42, value.backendPort, false);
  to.setUint8(offset + 44, value.protocol);
}

function getEventSocket(from: DataView, offset: number): EventSocket {
  return {
    service: getAddrKey(from, offset),
    backend: getAddrKey(from, offset + 20),
    servicePort: from.getUint16(offset + 40, false),
    backendPort: from.getUint16(offset + 42, false),
    protocol: from.getUint8(offset + 44),
  };
}

/** {@link EventSocket} as the kernel has it; padding is zero. */
export function encodeEventSocket(value: EventSocket): Uint8Array {
  putEventSocket(cleared(48), 0, value);
  return encoded(48);
}

/** The inverse of {@link encodeEventSocket}. @throws RangeError when there are fewer than 48 bytes */
export function decodeEventSocket(bytes: Uint8Array | DataView): EventSocket {
  return getEventSocket(readable(bytes, 48), 0);
}

/** `struct ipcache_key`. */
export interface IpcacheKey {
  prefixlen: number;
  addr: AddrKey;
}

/** Size and offsets of {@link IpcacheKey}, in bytes. */
export const ipcacheKeyLayout = {
  size: 24,
  fields: { prefixlen: 0, addr: 4 },
} as const;

function putIpcacheKey(to: DataView, offset: number, value: IpcacheKey): void {
  to.setUint32(offset, value.prefixlen, true);
  putAddrKey(to, offset + 4, value.addr);
}

function getIpcacheKey(from: DataView, offset: number): IpcacheKey {
  return {
    prefixlen: from.getUint32(offset, true),
    addr: getAddrKey(from, offset + 4),
  };
}

/** {@link IpcacheKey} as the kernel has it; padding is zero. */
export function encodeIpcacheKey(value: IpcacheKey): Uint8Array {
  putIpcacheKey(cleared(24), 0, value);
  return encoded(24);
}

/** The inverse of {@link encodeIpcacheKey}. @throws RangeError when there are fewer than 24 bytes */
export function decodeIpcacheKey(bytes: Uint8Array | DataView): IpcacheKey {
  return getIpcacheKey(readable(bytes, 24), 0);
}

/** `struct ipcache_value`. */
export interface IpcacheValue {
  identity: number;
  peer: number;
  flags: number;
  cluster: number;
}

/** Size and offsets of {@link IpcacheValue}, in bytes. */
export const ipcacheValueLayout = {
  size: 16,
  fields: { identity: 0, peer: 4, flags: 8, cluster: 12 },
} as const;

function putIpcacheValue(to: DataView, offset: number, value: IpcacheValue): void {
  to.setUint32(offset, value.identity, true);
  to.setUint32(offset + 4, value.peer, true);
  to.setUint32(offset + 8, value.flags, true);
  to.setUint16(offset + 12, value.cluster, true);
}

function getIpcacheValue(from: DataView, offset: number): IpcacheValue {
  return {
    identity: from.getUint32(offset, true),
    peer: from.getUint32(offset + 4, true),
    flags: from.getUint32(offset + 8, true),
    cluster: from.getUint16(offset + 12, true),
  };
}

/** {@link IpcacheValue} as the kernel has it; padding is zero. */
export function encodeIpcacheValue(value: IpcacheValue): Uint8Array {
  putIpcacheValue(cleared(16), 0, value);
  return encoded(16);
}

/** The inverse of {@link encodeIpcacheValue}. @throws RangeError when there are fewer than 16 bytes */
export function decodeIpcacheValue(bytes: Uint8Array | DataView): IpcacheValue {
  return getIpcacheValue(readable(bytes, 16), 0);
}

/** `struct mesh_range_value`. */
export interface MeshRangeValue {
  peer: number;
  cluster: number;
}

/** Size and offsets of {@link MeshRangeValue}, in bytes. */
export const meshRangeValueLayout = {
  size: 8,
  fields: { peer: 0, cluster: 4 },
} as const;

function putMeshRangeValue(to: DataView, offset: number, value: MeshRangeValue): void {
  to.setUint32(offset, value.peer, true);
  to.setUint16(offset + 4, value.cluster, true);
}

function getMeshRangeValue(from: DataView, offset: number): MeshRangeValue {
  return {
    peer: from.getUint32(offset, true),
    cluster: from.getUint16(offset + 4, true),
  };
}

/** {@link MeshRangeValue} as the kernel has it; padding is zero. */
export function encodeMeshRangeValue(value: MeshRangeValue): Uint8Array {
  putMeshRangeValue(cleared(8), 0, value);
  return encoded(8);
}

/** The inverse of {@link encodeMeshRangeValue}. @throws RangeError when there are fewer than 8 bytes */
export function decodeMeshRangeValue(bytes: Uint8Array | DataView): MeshRangeValue {
  return getMeshRangeValue(readable(bytes, 8), 0);
}

/** `struct metric_key`. */
export interface MetricKey {
  reason: number;
  direction: number;
}

/** Size and offsets of {@link MetricKey}, in bytes. */
export const metricKeyLayout = {
  size: 4,
  fields: { reason: 0, direction: 2 },
} as const;

function putMetricKey(to: DataView, offset: number, value: MetricKey): void {
  to.setUint16(offset, value.reason, true);
  to.setUint8(offset + 2, value.direction);
}

function getMetricKey(from: DataView, offset: number): MetricKey {
  return {
    reason: from.getUint16(offset, true),
    direction: from.getUint8(offset + 2),
  };
}

/** {@link MetricKey} as the kernel has it; padding is zero. */
export function encodeMetricKey(value: MetricKey): Uint8Array {
  putMetricKey(cleared(4), 0, value);
  return encoded(4);
}

/** The inverse of {@link encodeMetricKey}. @throws RangeError when there are fewer than 4 bytes */
export function decodeMetricKey(bytes: Uint8Array | DataView): MetricKey {
  return getMetricKey(readable(bytes, 4), 0);
}

/** `struct metric_value`. */
export interface MetricValue {
  packets: bigint;
  bytes: bigint;
}

/** Size and offsets of {@link MetricValue}, in bytes. */
export const metricValueLayout = {
  size: 16,
  fields: { packets: 0, bytes: 8 },
} as const;

function putMetricValue(to: DataView, offset: number, value: MetricValue): void {
  to.setBigUint64(offset, value.packets, true);
  to.setBigUint64(offset + 8, value.bytes, true);
}

function getMetricValue(from: DataView, offset: number): MetricValue {
  return {
    packets: from.getBigUint64(offset, true),
    bytes: from.getBigUint64(offset + 8, true),
  };
}

/** {@link MetricValue} as the kernel has it; padding is zero. */
export function encodeMetricValue(value: MetricValue): Uint8Array {
  putMetricValue(cleared(16), 0, value);
  return encoded(16);
}

/** The inverse of {@link encodeMetricValue}. @throws RangeError when there are fewer than 16 bytes */
export function decodeMetricValue(bytes: Uint8Array | DataView): MetricValue {
  return getMetricValue(readable(bytes, 16), 0);
}

/** `struct peer_value`. */
export interface PeerValue {
  family: number;
  mode: number;
  tx: number;
  addr: Uint8Array;
  cluster: number;
}

/** Size and offsets of {@link PeerValue}, in bytes. */
export const peerValueLayout = {
  size: 24,
  fields: { family: 0, mode: 1, tx: 2, addr: 4, cluster: 20 },
} as const;

function putPeerValue(to: DataView, offset: number, value: PeerValue): void {
  to.setUint8(offset, value.family);
  to.setUint8(offset + 1, value.mode);
  to.setUint8(offset + 2, value.tx);
  putBytes(to, offset + 4, 16, value.addr, 'peer_value.addr');
  to.setUint16(offset + 20, value.cluster, true);
}

function getPeerValue(from: DataView, offset: number): PeerValue {
  return {
    family: from.getUint8(offset),
    mode: from.getUint8(offset + 1),
    tx: from.getUint8(offset + 2),
    addr: getBytes(from, offset + 4, 16),
    cluster: from.getUint16(offset + 20, true),
  };
}

/** {@link PeerValue} as the kernel has it; padding is zero. */
export function encodePeerValue(value: PeerValue): Uint8Array {
  putPeerValue(cleared(24), 0, value);
  return encoded(24);
}

/** The inverse of {@link encodePeerValue}. @throws RangeError when there are fewer than 24 bytes */
export function decodePeerValue(bytes: Uint8Array | DataView): PeerValue {
  return getPeerValue(readable(bytes, 24), 0);
}

/** `struct revnat_value`. */
export interface RevnatValue {
  addr: AddrKey;
  port: number;
  protocol: number;
}

/** Size and offsets of {@link RevnatValue}, in bytes. */
export const revnatValueLayout = {
  size: 24,
  fields: { addr: 0, port: 20, protocol: 22 },
} as const;

function putRevnatValue(to: DataView, offset: number, value: RevnatValue): void {
  putAddrKey(to, offset, value.addr);
  to.setUint16(offset + 20, value.port, false);
  to.setUint8(offset + 22, value.protocol);
}

function getRevnatValue(from: DataView, offset: number): RevnatValue {
  return {
    addr: getAddrKey(from, offset),
    port: from.getUint16(offset + 20, false),
    protocol: from.getUint8(offset + 22),
  };
}

/** {@link RevnatValue} as the kernel has it; padding is zero. */
export function encodeRevnatValue(value: RevnatValue): Uint8Array {
  putRevnatValue(cleared(24), 0, value);
  return encoded(24);
}

/** The inverse of {@link encodeRevnatValue}. @throws RangeError when there are fewer than 24 bytes */
export function decodeRevnatValue(bytes: Uint8Array | DataView): RevnatValue {
  return getRevnatValue(readable(bytes, 24), 0);
}

/** `struct service_key`. */
export interface ServiceKey {
  addr: AddrKey;
  port: number;
  protocol: number;
  scope: number;
  slot: number;
}

/** Size and offsets of {@link ServiceKey}, in bytes. */
export const serviceKeyLayout = {
  size: 28,
  fields: { addr: 0, port: 20, protocol: 22, scope: 23, slot: 24 },
} as const;

function putServiceKey(to: DataView, offset: number, value: ServiceKey): void {
  putAddrKey(to, offset, value.addr);
  to.setUint16(offset + 20, value.port, false);
  to.setUint8(offset + 22, value.protocol);
  to.setUint8(offset + 23, value.scope);
  to.setUint16(offset + 24, value.slot, true);
}

function getServiceKey(from: DataView, offset: number): ServiceKey {
  return {
    addr: getAddrKey(from, offset),
    port: from.getUint16(offset + 20, false),
    protocol: from.getUint8(offset + 22),
    scope: from.getUint8(offset + 23),
    slot: from.getUint16(offset + 24, true),
  };
}

/** {@link ServiceKey} as the kernel has it; padding is zero. */
export function encodeServiceKey(value: ServiceKey): Uint8Array {
  putServiceKey(cleared(28), 0, value);
  return encoded(28);
}

/** The inverse of {@link encodeServiceKey}. @throws RangeError when there are fewer than 28 bytes */
export function decodeServiceKey(bytes: Uint8Array | DataView): ServiceKey {
  return getServiceKey(readable(bytes, 28), 0);
}

/** `struct service_value`. */
export interface ServiceValue {
  backend: number;
  count: number;
  revnat: number;
  flags: number;
  affinityTimeout: number;
}

/** Size and offsets of {@link ServiceValue}, in bytes. */
export const serviceValueLayout = {
  size: 16,
  fields: { backend: 0, count: 4, revnat: 6, flags: 8, affinityTimeout: 12 },
} as const;

function putServiceValue(to: DataView, offset: number, value: ServiceValue): void {
  to.setUint32(offset, value.backend, true);
  to.setUint16(offset + 4, value.count, true);
  to.setUint16(offset + 6, value.revnat, true);
  to.setUint32(offset + 8, value.flags, true);
  to.setUint32(offset + 12, value.affinityTimeout, true);
}

function getServiceValue(from: DataView, offset: number): ServiceValue {
  return {
    backend: from.getUint32(offset, true),
    count: from.getUint16(offset + 4, true),
    revnat: from.getUint16(offset + 6, true),
    flags: from.getUint32(offset + 8, true),
    affinityTimeout: from.getUint32(offset + 12, true),
  };
}

/** {@link ServiceValue} as the kernel has it; padding is zero. */
export function encodeServiceValue(value: ServiceValue): Uint8Array {
  putServiceValue(cleared(16), 0, value);
  return encoded(16);
}

/** The inverse of {@link encodeServiceValue}. @throws RangeError when there are fewer than 16 bytes */
export function decodeServiceValue(bytes: Uint8Array | DataView): ServiceValue {
  return getServiceValue(readable(bytes, 16), 0);
}

/** `struct sock_nat_key`. */
export interface SockNatKey {
  cookie: bigint;
  addr: AddrKey;
  port: number;
  protocol: number;
  direction: number;
}

/** Size and offsets of {@link SockNatKey}, in bytes. */
export const sockNatKeyLayout = {
  size: 32,
  fields: { cookie: 0, addr: 8, port: 28, protocol: 30, direction: 31 },
} as const;

function putSockNatKey(to: DataView, offset: number, value: SockNatKey): void {
  to.setBigUint64(offset, value.cookie, true);
  putAddrKey(to, offset + 8, value.addr);
  to.setUint16(offset + 28, value.port, false);
  to.setUint8(offset + 30, value.protocol);
  to.setUint8(offset + 31, value.direction);
}

function getSockNatKey(from: DataView, offset: number): SockNatKey {
  return {
    cookie: from.getBigUint64(offset, true),
    addr: getAddrKey(from, offset + 8),
    port: from.getUint16(offset + 28, false),
    protocol: from.getUint8(offset + 30),
    direction: from.getUint8(offset + 31),
  };
}

/** {@link SockNatKey} as the kernel has it; padding is zero. */
export function encodeSockNatKey(value: SockNatKey): Uint8Array {
  putSockNatKey(cleared(32), 0, value);
  return encoded(32);
}

/** The inverse of {@link encodeSockNatKey}. @throws RangeError when there are fewer than 32 bytes */
export function decodeSockNatKey(bytes: Uint8Array | DataView): SockNatKey {
  return getSockNatKey(readable(bytes, 32), 0);
}

/** `struct sock_nat_value`. */
export interface SockNatValue {
  addr: AddrKey;
  port: number;
  revnat: number;
  backend: number;
}

/** Size and offsets of {@link SockNatValue}, in bytes. */
export const sockNatValueLayout = {
  size: 28,
  fields: { addr: 0, port: 20, revnat: 22, backend: 24 },
} as const;

function putSockNatValue(to: DataView, offset: number, value: SockNatValue): void {
  putAddrKey(to, offset, value.addr);
  to.setUint16(offset + 20, value.port, false);
  to.setUint16(offset + 22, value.revnat, true);
  to.setUint32(offset + 24, value.backend, true);
}

function getSockNatValue(from: DataView, offset: number): SockNatValue {
  return {
    addr: getAddrKey(from, offset),
    port: from.getUint16(offset + 20, false),
    revnat: from.getUint16(offset + 22, true),
    backend: from.getUint32(offset + 24, true),
  };
}

/** {@link SockNatValue} as the kernel has it; padding is zero. */
export function encodeSockNatValue(value: SockNatValue): Uint8Array {
  putSockNatValue(cleared(28), 0, value);
  return encoded(28);
}

/** The inverse of {@link encodeSockNatValue}. @throws RangeError when there are fewer than 28 bytes */
export function decodeSockNatValue(bytes: Uint8Array | DataView): SockNatValue {
  return getSockNatValue(readable(bytes, 28), 0);
}
