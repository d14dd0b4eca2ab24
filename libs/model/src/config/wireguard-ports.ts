/** UDP ports of a node's two WireGuard devices. Keys of an epoch are on the device of its parity. Cilium's is the first. */
export const WIREGUARD_PORTS = { even: 51_871, odd: 51_872 } as const;
