/** What a {@link BgpError} is made of: the fields of the NOTIFICATION that it becomes, RFC 4271 §4.5, and a sentence for people. */
export interface BgpErrorDetail {
  readonly code: number;
  readonly subcode: number;
  readonly data?: Uint8Array;
  readonly reason: string;
}

/** A peer broke the protocol: the session ends with a NOTIFICATION of these numbers. */
export class BgpError extends Error {
  override readonly name = 'BgpError';
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
  readonly reason: string;

  constructor({ code, subcode, data = new Uint8Array(0), reason }: BgpErrorDetail) {
    super(`${reason} (${code}/${subcode})`);
    this.code = code;
    this.subcode = subcode;
    this.data = data;
    this.reason = reason;
  }
}
