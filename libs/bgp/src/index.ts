export { BfdClient, type BfdClientOptions } from './adapters/bfd-client.ts';
export { becomeRealTime, type RealTime } from './adapters/real-time.ts';
export { advertiseRouter, type DiscoveryLink, solicitNeighbours } from './adapters/router-discovery.ts';
export { tcpTransport } from './adapters/tcp-transport.ts';
export { UdpBfdTransport } from './adapters/udp-bfd-transport.ts';
export { asPathLength, asPathText } from './attribute/as-path.codec.ts';
export { decodeAttributes, encodeAttributes } from './attribute/attributes.codec.ts';
export type { Aggregator, AsPathSegment, LargeCommunity, Origin, PathAttributes, UnknownAttribute } from './attribute/path-attributes.ts';
export { BFD_SOCKET } from './bfd/bfd-errors.ts';
export type { BfdState } from './bfd/bfd-machine.ts';
export type { BfdListener, BfdMonitor } from './bfd/bfd-monitor.ts';
export { type BfdMessage, type BfdRefusal, type BfdRequest, type BfdStatus, LineReader } from './bfd/bfd-protocol.ts';
export type { BfdCounters, BfdReport } from './bfd/bfd-report.ts';
export { BfdSessions, type BfdSessionsOptions } from './bfd/bfd-sessions.ts';
export { BFD_SESSION, type BfdPath, type BfdSessionConfig, readSessionConfig } from './bfd/bfd-settings.ts';
export type { BfdChannel, BfdChannelOptions, BfdReceiver, BfdTransport } from './bfd/bfd-transport.ts';
export type { Diagnostic } from './bfd/diagnostic.ts';
export type { DropCounts, DropReason } from './bfd/reception.ts';
export type { Negotiated, PeerRestart } from './capability/negotiated.ts';
export { BgpError, type BgpErrorDetail } from './error/bgp-error.ts';
export { AFI, type RoutedFamily, routedFamily, SAFI_UNICAST } from './family/routed-family.ts';
export type { NlriRun, ParsedUpdate, ReachableRun, UpdateFault } from './message/parsed-update.ts';
export { parseUpdate } from './message/update.ts';
export type { Policy, PolicyActions, PolicyMatch, PolicyRule, PrefixRange, RouteSource } from './policy/policy.ts';
export { type OwnRoute, type PeerRouting, Rib, type RibOptions } from './rib/rib.ts';
export type { BestRoute, ListedPath, NextHop, RouteChange, RouteFollower } from './rib/route-follower.ts';
export type { AdvertisedRoute, ListedRoute } from './rib/route-reader.ts';
export type { PeerCounts } from './rib/route-table.ts';
export type {
  BgpConnection,
  BgpEndpoint,
  BgpListener,
  BgpTransport,
  ConnectionHandlers,
  ConnectOptions,
  ListenerPeer,
} from './session/bgp-transport.ts';
export type { PeerConnection } from './session/peer-settings.ts';
export type { SessionState } from './session/session-machine.ts';
export type { PeerUp, SessionTable, UpdateParser } from './session/session-table.ts';
export type { SpeakerTable } from './session/speaker-table.ts';
export { BGP_ADDRESS, BGP_CONNECT, BGP_DISCOVERY, BGP_LISTEN, BGP_PASSWORD, BGP_SOCKET } from './session/transport-errors.ts';
export { BGP_PEER, BgpSpeaker, type BgpSpeakerOptions, type PeerStatus } from './speaker.ts';
