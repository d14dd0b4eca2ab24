import { addressBytes, Ip } from '@isthmus/net';
import { type Capability, decodeCapability, encodeCapability } from '../capability/capability.ts';
import { BgpError } from '../error/bgp-error.ts';
import { frame, MESSAGE_TYPE } from './framing.ts';

/** An OPEN, RFC 4271 §4.2. */
export interface Open {
  /** Four octets wide: that of the capability of RFC 6793 where there is one. */
  readonly asn: number;
  /** Seconds. */
  readonly holdTime: number;
  /** IPv4 text. */
  readonly routerId: string;
  readonly capabilities: readonly Capability[];
}

const VERSION = 4;
/** What stands for an AS number of more than two octets, RFC 6793 §9. */
const AS_TRANS = 23456;
/** The optional parameter that holds capabilities, RFC 5492 §4. */
const CAPABILITIES = 2;
/** Says that lengths are two octets wide, RFC 9072 §2. */
const EXTENDED = 255;
/** RFC 5492 §4. */
const MAX_CAPABILITY = 255;
const OPEN_ERROR = { code: 2, version: 1, parameter: 4 } as const;

/** A whole message; capabilities that do not fit 255 bytes go in the form of RFC 9072. @throws RangeError for one that is longer itself */
export function encodeOpen({ asn, holdTime, routerId, capabilities }: Open): Uint8Array {
  const encoded = capabilities.map(encodeCapability).flatMap(({ code, value }) => {
    if (value.length > MAX_CAPABILITY)
      throw new RangeError(`capability ${code} has ${value.length} bytes, its length has room for ${MAX_CAPABILITY}`);
    return [code, value.length, ...value];
  });
  const short = encoded.length === 0 ? [0] : [encoded.length + 2, CAPABILITIES, encoded.length];
  const long = [
    EXTENDED,
    EXTENDED,
    (encoded.length + 3) >> 8,
    (encoded.length + 3) & 0xff,
    CAPABILITIES,
    encoded.length >> 8,
    encoded.length & 0xff,
  ];
  const head = encoded.length + 2 < EXTENDED ? short : long;
  const as = asn > 0xffff ? AS_TRANS : asn;
  const fixed = [VERSION, as >> 8, as & 0xff, holdTime >> 8, holdTime & 0xff, ...addressBytes(routerId).bytes];
  return frame(MESSAGE_TYPE.open, Uint8Array.from([...fixed, ...head, ...encoded]));
}

/** Reads a body. @throws BgpError 2/1 for another version, 2/0 and 2/4 for parameters that cannot be read */
export function parseOpen(body: Uint8Array): Open {
  if (body[0] !== VERSION) {
    throw new BgpError({
      code: OPEN_ERROR.code,
      subcode: OPEN_ERROR.version,
      data: Uint8Array.of(0, VERSION),
      reason: `the peer speaks BGP version ${body[0]}`,
    });
  }
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const capabilities = parseParameters(body);
  const wide = capabilities.find((one) => one.kind === 'four-octet-as');
  return {
    asn: wide?.asn ?? view.getUint16(1),
    holdTime: view.getUint16(3),
    routerId: new Ip(4, body.slice(5, 9)).toString(),
    capabilities,
  };
}

function parseParameters(body: Uint8Array): Capability[] {
  // The first of the two octets counts only as not being 0, RFC 9072 §2.
  const extended = body[9] !== 0 && body[10] === EXTENDED;
  const start = extended ? 13 : 10;
  const length = extended ? ((body[11] ?? 0) << 8) | (body[12] ?? 0) : body[9]!;
  if (start + length !== body.length) throw unreadable();
  const capabilities: Capability[] = [];
  for (let at = start; at < body.length; ) {
    const wide = extended ? 3 : 2;
    const size = extended ? ((body[at + 1] ?? 0) << 8) | (body[at + 2] ?? 0) : (body[at + 1] ?? 0);
    if (at + wide + size > body.length) throw unreadable();
    if (body[at] !== CAPABILITIES) {
      throw new BgpError({ code: OPEN_ERROR.code, subcode: OPEN_ERROR.parameter, reason: `there is no optional parameter ${body[at]}` });
    }
    capabilities.push(...parseCapabilities(body.subarray(at + wide, at + wide + size)));
    at += wide + size;
  }
  return capabilities;
}

function parseCapabilities(bytes: Uint8Array): Capability[] {
  const out: Capability[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + (bytes[at + 1] ?? 0);
    if (end > bytes.length) throw unreadable();
    out.push(decodeCapability(bytes[at]!, bytes.subarray(at + 2, end)));
    at = end;
  }
  return out;
}

function unreadable(): BgpError {
  return new BgpError({ code: OPEN_ERROR.code, subcode: 0, reason: 'the optional parameters of an OPEN overrun it' });
}
