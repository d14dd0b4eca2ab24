import { addressBytes } from '@isthmus/net';
import { BgpError } from '../error/bgp-error.ts';
import type { Open } from '../message/open.ts';
import { CODE, OPEN_ERROR } from './session-end.ts';
import type { SessionSettings } from './session-settings.ts';

/** Least hold time in seconds that is not 0, RFC 4271 §4.2. */
const MIN_HOLD_TIME = 3;

/**
 * Judges a peer's OPEN against what was set for it, RFC 4271 §6.2 and RFC 6286 §2.2. (The version is the codec's matter.)
 * @throws BgpError 2/2, 2/3 or 2/6
 */
export function checkOpen(theirs: Open, ours: Pick<SessionSettings, 'localAs' | 'peerAs' | 'routerId'>): void {
  const { asn, routerId, holdTime } = theirs;
  if (asn === 0 || (ours.peerAs !== 0 && asn !== ours.peerAs)) {
    throw openError(OPEN_ERROR.badPeerAs, `the peer says AS ${asn}, AS ${ours.peerAs || 'any'} was expected`);
  }
  if (routerId === '0.0.0.0') throw openError(OPEN_ERROR.badIdentifier, 'the peer has the BGP identifier 0.0.0.0');
  if (asn === ours.localAs && routerId === ours.routerId) {
    throw openError(OPEN_ERROR.badIdentifier, `the peer has this speaker's own BGP identifier ${routerId}`);
  }
  if (holdTime !== 0 && holdTime < MIN_HOLD_TIME) {
    throw openError(OPEN_ERROR.unacceptableHoldTime, `the peer wants a hold time of ${holdTime} seconds, the least is ${MIN_HOLD_TIME}`);
  }
}

function openError(subcode: number, reason: string): BgpError {
  return new BgpError({ code: CODE.open, subcode, reason });
}

/**
 * Which of two connections with one peer stays, RFC 4271 §6.8: that of the speaker with the greater BGP identifier, and of equal ones (RFC 6286
 * §2.3) that with the greater AS number.
 */
export function survivor(ours: Pick<Open, 'routerId' | 'asn'>, theirs: Pick<Open, 'routerId' | 'asn'>): 'ours' | 'theirs' {
  const difference = identifier(ours.routerId) - identifier(theirs.routerId) || ours.asn - theirs.asn;
  return difference > 0 ? 'ours' : 'theirs';
}

function identifier(text: string): number {
  const { bytes } = addressBytes(text);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}
