import { BgpError } from '../error/bgp-error.ts';

/** Error code of an UPDATE, RFC 4271 §4.5. */
const UPDATE_CODE = 3;

/** Subcodes, RFC 4271 §4.5. */
export const UPDATE_ERROR = {
  malformedList: 1,
  unknownWellKnown: 2,
  missingWellKnown: 3,
  flags: 4,
  length: 5,
  origin: 6,
  nextHop: 8,
  optionalAttribute: 9,
  networkField: 10,
  asPath: 11,
} as const;

/** An UPDATE that ends the session. Its data is a copy: the message's bytes are gone when it is sent. */
export function updateError(subcode: number, reason: string, data: Uint8Array = new Uint8Array(0)): BgpError {
  return new BgpError({ code: UPDATE_CODE, subcode, data: data.slice(), reason });
}
