import type { FabricPlan, RackPlan } from '../topology/rack-plan.ts';
import { FAMILIES, RACK_BFD, RACK_PATHS, RACK_TIMERS, type RackFamily, type RackSession, sessionsOf } from './rack-session.ts';

const PROFILE = 'rack';

/** Configuration of bgpd in a ToR. What nodes announce is taken as it comes: their AS numbers are private, and nothing else is behind them. */
export function bgpdConfig(rack: RackPlan, { routeServer, device }: FabricPlan): string {
  const sessions = sessionsOf(rack, routeServer, device);
  return `
router bgp ${rack.asn}
 bgp router-id ${rack.addresses.ipv4}
 no bgp default ipv4-unicast
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp bestpath as-path multipath-relax
 timers bgp ${RACK_TIMERS.keepalive} ${RACK_TIMERS.hold}
${sessions.flatMap(sessionLines).join('\n')}
${FAMILIES.map((family) => familyLines(family, sessions)).join('\n')}
`;
}

/** Configuration of zebra in a ToR: next hops stand in the routes themselves, because next hop objects of the kernel go with a carrier and are not made again. */
export function zebraConfig(): string {
  return 'no zebra nexthop kernel enable\n';
}

/** Configuration of bfdd in a ToR. */
export function bfddConfig(): string {
  return `
bfd
 profile ${PROFILE}
  detect-multiplier ${RACK_BFD.multiplier}
  receive-interval ${RACK_BFD.intervalMs}
  transmit-interval ${RACK_BFD.intervalMs}
 exit
exit
`;
}

/**
 * Without `bfd check-control-plane-failure`: with it and graceful restart FRR 8.4 takes every loss of BFD for a restart of the speaker, a cut link
 * too, and keeps sending there. A node's BFD outlives its speaker, so that a restart does not fail it. A route server
 * leaves its own AS number out of the path, and the next hop as it is.
 */
function sessionLines({ peer, peerAsn, password, toNode, name }: RackSession): string[] {
  const lines = [
    `remote-as ${peerAsn}`,
    `description ${name}`,
    'advertisement-interval 0',
    'timers connect 1',
    ...(toNode ? ['passive', `bfd profile ${PROFILE}`] : []),
    ...(password === undefined ? [] : [`password ${password}`]),
  ];
  return lines.map((line) => ` neighbor ${peer} ${line}`);
}

function familyLines(family: RackFamily, sessions: readonly RackSession[]): string {
  const active = sessions.filter((session) => session.family === family).map(({ peer }) => `  neighbor ${peer} activate`);
  return [` address-family ${family} unicast`, `  maximum-paths ${RACK_PATHS}`, ...active, ' exit-address-family'].join('\n');
}
