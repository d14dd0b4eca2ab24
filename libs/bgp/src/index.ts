export type { Aggregator, AsPathSegment, LargeCommunity, Origin, PathAttributes, UnknownAttribute } from './attribute/path-attributes.ts';
export { AFI, type RoutedFamily, routedFamily, SAFI_UNICAST } from './family/routed-family.ts';
export type {
  BgpConnection,
  BgpEndpoint,
  BgpListener,
  BgpTransport,
  ConnectionHandlers,
  ConnectOptions,
  ListenerPeer,
} from './session/bgp-transport.ts';
