/** Numeric identities below 256 mean the same in every cluster. */
export const RESERVED_IDENTITY = Object.freeze({
  unknown: 0,
  host: 1,
  world: 2,
  unmanaged: 3,
  health: 4,
  init: 5,
  remoteNode: 6,
  kubeApiserver: 7,
  ingress: 8,
  worldIpv4: 9,
  worldIpv6: 10,
});
