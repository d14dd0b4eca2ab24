import type { FabricPlan, RackPlan } from '../topology/rack-plan.ts';
import { FAMILIES, RACK_TIMERS, type RackFamily } from './rack-session.ts';

/** Configuration of the route server: every ToR is a client, over each family for the routes of that family (RFC 7947). */
export function gobgpConfig({ routeServer, racks }: FabricPlan): string {
  const neighbours = racks.flatMap((rack) => FAMILIES.map((family) => neighbour(rack, family)));
  return `
[global.config]
  as = ${routeServer.asn}
  router-id = "${routeServer.addresses.ipv4}"
${neighbours.join('')}`;
}

function neighbour({ addresses, asn }: RackPlan, family: RackFamily): string {
  return `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${addresses[family]}"
    peer-as = ${asn}
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
    hold-time = ${RACK_TIMERS.hold}
    keepalive-interval = ${RACK_TIMERS.keepalive}
  [neighbors.route-server.config]
    route-server-client = true
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "${family}-unicast"
`;
}
