import type { FabricPlan, RackPlan } from '../topology/rack-plan.ts';
import { FAMILIES, RACK_BFD, RACK_PATHS, RACK_TIMERS, type RackFamily, type RackSession, sessionsOf } from './rack-session.ts';

const SHORT = { ipv4: 4, ipv6: 6 } as const;

/**
 * Configuration of BIRD in a ToR. It does what FRR does by itself with a route that is about to go (RFC 8326): any other one wins. BFD that
 * fails ends the session and its routes at once: nodes answer BFD by a process of its own, so that a restart of the speaker does not fail it.
 */
export function birdConfig(rack: RackPlan, { routeServer, device }: FabricPlan): string {
  return `
log stderr { info, remote, warning, error, auth, fatal, bug };
router id ${rack.addresses.ipv4};
protocol device { scan time 5; }
filter from_peers {
  if (65535, 0) ~ bgp_community then bgp_local_pref = 0;
  accept;
}
protocol bfd {
  interface "port*" {
    min rx interval ${RACK_BFD.intervalMs} ms;
    min tx interval ${RACK_BFD.intervalMs} ms;
    multiplier ${RACK_BFD.multiplier};
  };
}
${FAMILIES.map(kernelProtocol).join('')}
${sessionsOf(rack, routeServer, device)
  .map((session) => bgpProtocol(rack, session))
  .join('')}`;
}

function kernelProtocol(family: RackFamily): string {
  return `protocol kernel kernel${SHORT[family]} {
  scan time 5;
  merge paths yes limit ${RACK_PATHS};
  ${family} { import none; export where source = RTS_BGP; };
}
`;
}

function bgpProtocol(rack: RackPlan, { name, own, peer, peerAsn, device, family, password, toNode }: RackSession): string {
  const lines = [
    `local ${own} as ${rack.asn};`,
    `neighbor ${peer} as ${peerAsn};`,
    `interface "${device}";`,
    'direct;',
    `hold time ${RACK_TIMERS.hold};`,
    `keepalive time ${RACK_TIMERS.keepalive};`,
    'connect delay time 1;',
    'connect retry time 1;',
    'error wait time 1, 2;',
    ...(toNode ? ['passive yes;', 'bfd yes;'] : []),
    ...(password === undefined ? [] : [`password "${password}";`]),
    `${family} { import filter from_peers; export where source = RTS_BGP; };`,
  ];
  return `protocol bgp ${name} {\n  ${lines.join('\n  ')}\n}\n`;
}
