import { CodedError } from '@isthmus/core';
import { WIREGUARD_MTU } from './wireguard.errors.ts';

/** Octets that WireGuard puts around a packet: IP, UDP, its header of 16 and its tag of 16. By the family of the network between nodes. */
const OVERHEAD = { 4: 60, 6: 80 } as const;
/** WireGuard pads what it encrypts to whole multiples of that. */
const PADDING = 16;
/** Least MTU of a link with IPv6, RFC 8200 §5. */
const IPV6_MIN = 1280;

/**
 * MTU of the WireGuard devices: what fits, rounded down so that the largest packet is never padded. WireGuard would not pad beyond its device's MTU,
 * but a packet that BPF redirects into the device still has the MTU of another one with it, and would come out too large.
 * @param mtu of the device that nodes reach each other by
 * @param family of the network between nodes; of a mixed one 6, whose headers are longer
 */
export function wireguardMtu(mtu: number, family: 4 | 6): number {
  const room = mtu - OVERHEAD[family];
  return room - (room % PADDING);
}

/**
 * Refuses packets of pods that are too small for IPv6: Linux would turn IPv6 off on such a device without a word.
 * @throws CodedError WIREGUARD_MTU
 */
export function checkPodMtu(podMtu: number, device: string): void {
  if (podMtu >= IPV6_MIN) return;
  throw new CodedError(WIREGUARD_MTU, `packets of pods have ${podMtu} bytes at most, IPv6 needs ${IPV6_MIN}`, { object: device });
}
