import { HIDDEN, LENGTHS, LOCAL_PREF } from './speaker/our-policies.ts';
import { HOLD_TIME, INJECTOR, RECEIVER, SPEAKER } from './speaker/who.ts';

/** BIRD with the policies of ours. */
export const birdConfiguration = `
log stderr { error, fatal, bug };
router id ${SPEAKER.address};
protocol device {}
filter take { if net ~ [ 0.0.0.0/0{${LENGTHS.min},${LENGTHS.max}} ] then { bgp_local_pref = ${LOCAL_PREF}; accept; } reject; }
filter give { if (${SPEAKER.asn},${HIDDEN}) ~ bgp_community then reject; accept; }
protocol bgp injector {
  local ${SPEAKER.address} as ${SPEAKER.asn};
  neighbor ${INJECTOR.address} as ${INJECTOR.asn};
  passive on;
  hold time ${HOLD_TIME};
  ipv4 { import filter take; export none; };
}
protocol bgp receiver {
  local ${SPEAKER.address} as ${SPEAKER.asn};
  neighbor ${RECEIVER.address} as ${RECEIVER.asn};
  passive on;
  hold time ${HOLD_TIME};
  ipv4 { import none; export filter give; };
}
`;

/**
 * FRR with the policies of ours; the interval between advertisements is off, and as it knows no interfaces it believes every next hop. A route map
 * must be there before it is named: one that comes later counts five seconds later.
 */
export const frrConfiguration = `
ip prefix-list LENGTHS permit 0.0.0.0/0 ge ${LENGTHS.min} le ${LENGTHS.max}
bgp community-list standard HIDDEN permit ${SPEAKER.asn}:${HIDDEN}
route-map TAKE permit 10
 match ip address prefix-list LENGTHS
 set local-preference ${LOCAL_PREF}
route-map GIVE deny 10
 match community HIDDEN
route-map GIVE permit 20
route-map NONE deny 10
router bgp ${SPEAKER.asn}
 bgp router-id ${SPEAKER.address}
 no bgp network import-check
 timers bgp ${HOLD_TIME / 3} ${HOLD_TIME}
 neighbor ${INJECTOR.address} remote-as ${INJECTOR.asn}
 neighbor ${INJECTOR.address} passive
 neighbor ${INJECTOR.address} disable-connected-check
 neighbor ${INJECTOR.address} advertisement-interval 0
 neighbor ${RECEIVER.address} remote-as ${RECEIVER.asn}
 neighbor ${RECEIVER.address} passive
 neighbor ${RECEIVER.address} disable-connected-check
 neighbor ${RECEIVER.address} advertisement-interval 0
 address-family ipv4 unicast
  neighbor ${INJECTOR.address} activate
  neighbor ${INJECTOR.address} route-map TAKE in
  neighbor ${INJECTOR.address} route-map NONE out
  neighbor ${RECEIVER.address} activate
  neighbor ${RECEIVER.address} route-map NONE in
  neighbor ${RECEIVER.address} route-map GIVE out
 exit-address-family
`;

/** GoBGP with the import policy of ours: policies of a daemon are for all of its neighbours, who are told everything. */
export const gobgpConfiguration = `
[global.config]
  as = ${SPEAKER.asn}
  router-id = "${SPEAKER.address}"
  port = 179
  local-address-list = ["${SPEAKER.address}"]
[global.apply-policy.config]
  import-policy-list = ["take"]
  default-import-policy = "reject-route"
  default-export-policy = "accept-route"
[[defined-sets.prefix-sets]]
  prefix-set-name = "lengths"
  [[defined-sets.prefix-sets.prefix-list]]
    ip-prefix = "0.0.0.0/0"
    masklength-range = "${LENGTHS.min}..${LENGTHS.max}"
[[policy-definitions]]
  name = "take"
  [[policy-definitions.statements]]
    [policy-definitions.statements.conditions.match-prefix-set]
      prefix-set = "lengths"
    [policy-definitions.statements.actions]
      route-disposition = "accept-route"
    [policy-definitions.statements.actions.bgp-actions]
      set-local-pref = ${LOCAL_PREF}
${[INJECTOR, RECEIVER]
  .map(
    ({ address, asn }) => `[[neighbors]]
  [neighbors.config]
    neighbor-address = "${address}"
    peer-as = ${asn}
  [neighbors.transport.config]
    passive-mode = true
  [neighbors.timers.config]
    hold-time = ${HOLD_TIME}
`,
  )
  .join('')}`;
