export * from './adapters/bpf/index.ts';
export { DISCARD_PROTOCOL, DiscardSink } from './adapters/discard-sink.ts';
export {
  LEARNED_ROUTE_PROTOCOL,
  LEARNED_SCOPE,
  LearnedRouteSink,
  type LearnedRouteSource,
  listLearnedRoutes,
} from './adapters/learned-route-sink.ts';
export * from './adapters/netlink/index.ts';
export { closeNetns, NETNS_ENTER, NETNS_MISSING, openNetns, withNetns } from './adapters/netns.ts';
export { type AttachedDevice, PodProgramSink, type PodProgramSinkOptions } from './adapters/pod-program-sink.ts';
export { ROUTE_PROTOCOL, RouteSink, type RouteSinkOptions } from './adapters/route-sink.ts';
export { raiseSocketBuffers } from './adapters/socket-buffers.ts';
export { ensureTun } from './adapters/tun.ts';
export { isUdpPortFree } from './adapters/udp-port.ts';
export { addressOf, addrKeyOf, FLAT_NET, ipcacheKeyOf } from './addr-key.ts';
export { addressBytesOr0 } from './address-bytes.ts';
export { dropReasonName, dropReasons, dropReasonText } from './event/drop-reason.ts';
export { describeEvent, type EventDescription } from './event/event-description.ts';
export * from './generated/layouts.ts';
export { describeMapRow, MAP_NAMES, pinnedMapName, sumOverCpus } from './map-description.ts';
export { addrKeyBytes, addrKeyOfText, ipcacheKeyBytes, textOfAddrKey } from './sinks/address-text.ts';
export { backendCodec, backendKeyOf, frontendKeyOf, revnatCodec } from './sinks/backend-codec.ts';
export { l4KeyOf, PROTOCOL_NUMBER } from './sinks/backend-key.ts';
export { clusterScope } from './sinks/cluster-scope.ts';
export { type PlainRowMap, writeEncryptExemptions } from './sinks/encrypt-exemptions.ts';
export { endpointCodec } from './sinks/endpoint-codec.ts';
export { ipcacheCodec } from './sinks/ipcache-codec.ts';
export { type MapCodec, MapSink } from './sinks/map-sink.ts';
export { MemoryRowMap } from './sinks/memory-row-map.ts';
export { meshRangeCodec } from './sinks/mesh-range-codec.ts';
export { decodeId, encodeId, seedPool } from './sinks/numbered-rows.ts';
export { peerAddress, peerCodec, peerTx } from './sinks/peer-codec.ts';
export type { RowMap } from './sinks/row-map.ts';
export { declareLocalAddresses, type HostAddressRow } from './tables/local-addresses.ts';
export { declareRoutes, type RouteRow } from './tables/routes.ts';
