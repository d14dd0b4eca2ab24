import { frame, MESSAGE_TYPE } from './framing.ts';

/** The one KEEPALIVE message, RFC 4271 §4.4. */
export const KEEPALIVE: Uint8Array = frame(MESSAGE_TYPE.keepalive, new Uint8Array(0));
