/** UDP ports of a node's two WireGuard devices. Keys of an epoch are on the device of its parity. Cilium's is the first. */
export const WIREGUARD_PORTS = { even: 51_871, odd: 51_872 } as const;

/** TCP port that nodes agree with each other on preshared keys at, over TLS. */
export const KEY_EXCHANGE_PORT = 51_873;
