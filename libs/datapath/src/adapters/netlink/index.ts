export { type AddressOptions, deleteAddress, ensureAddress, type LinkAddress, listAddresses } from './address.ts';
export { ensureGeneve } from './geneve.ts';
export { addAltname, deleteLink, getLink, type Link, type LinkChange, listLinks, setLink } from './link.ts';
export { type NetlinkEvent, NetlinkMonitor } from './monitor.ts';
export {
  deleteNeighbour,
  type LinkLocalNeighbour,
  listLinkLocalNeighbours,
  listNeighbours,
  type Neighbour,
  replaceNeighbour,
} from './neighbour.ts';
export {
  NETLINK_ABSENT,
  NETLINK_CONFLICT,
  NETLINK_DENIED,
  NETLINK_PORT_TAKEN,
  NETLINK_REFUSED,
  NETLINK_UNSUPPORTED,
  NetlinkError,
} from './netlink-error.ts';
export { addRoute, deleteRoute, listRoutes, matchRoute, type Route, type RouteFilter, replaceRoute } from './route.ts';
export {
  type ConnectedSocket,
  connectedSockets,
  destroySocket,
  type SocketDestination,
  type SocketProtocol,
  socketsTo,
} from './sock-diag.ts';
export { type NetlinkFamily, type NetlinkRequest, NetlinkSocket } from './socket.ts';
export { readSysctl, SYSCTL_FAILED, writeSysctl } from './sysctl.ts';
export type { TunnelDevice } from './tunnel-device.ts';
export { ensureVeth, type VethEnd, type VethPair } from './veth.ts';
export { ensureVxlan } from './vxlan.ts';
export { ensureWireguard, type WireguardLink } from './wireguard.ts';
