import { CodedError } from '@isthmus/core';
import { KV_CERTIFICATE_EXPIRED, KV_UNAUTHENTICATED } from './kv-errors.ts';

/** The certificate that a connection is opened with. Times are wall time in milliseconds since 1970. */
export interface ClientCertificate {
  /** Common name, which is the user. */
  readonly name: string;
  /** Common name of the CA. */
  readonly issuer: string;
  readonly file: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A certificate that is kept is replaced by two thirds of its life; from this share on it is looked for. */
const FIRST_LOOK = 3 / 4;
const LOOKS_AFTER = 6;
/** Timers cannot be set further ahead than 24 days. */
const LONGEST_MS = 86_400_000;

/** When a connection should see whether its certificate has been replaced: milliseconds from now. */
export function nextLookMs({ notBefore, notAfter }: Pick<ClientCertificate, 'notBefore' | 'notAfter'>, now: number): number {
  const life = notAfter - notBefore;
  const first = notBefore + life * FIRST_LOOK;
  const step = (life * (1 - FIRST_LOOK)) / LOOKS_AFTER;
  const due = now < first ? first : Math.min(now + step, Math.max(notAfter + 1, now));
  return Math.min(Math.max(0, Math.ceil(due - now)), LONGEST_MS);
}

/** The server's own words when it refuses a client's certificate (RFC 8446 §6.2). */
const REFUSES_CLIENT = /alert (bad certificate|certificate (expired|revoked|unknown|required)|unknown ca|access denied)/;
const REFUSED_SERVER: readonly [RegExp, string][] = [
  [/certificate has expired/, "the server's certificate has expired"],
  [/certificate is not yet valid/, "the server's certificate is not valid yet; compare the clocks of the two machines"],
  [/self[- ]signed|unable to (verify|get)/, "the server's certificate is signed by a CA that is not trusted here"],
];

/**
 * Says in plain words why two sides do not accept each other's certificates. Servers do not say what displeases them; of the own certificate
 * it is known here.
 * @param error a failed attempt to connect; returned as it is when there is nothing to add
 */
export function explainRefusal(error: CodedError, endpoint: string, own: ClientCertificate | undefined, now: number): CodedError {
  if (error.code !== KV_UNAUTHENTICATED.code) return error;
  const ours = REFUSED_SERVER.find(([pattern]) => pattern.test(error.message))?.[1];
  if (ours) return new CodedError(KV_UNAUTHENTICATED, `connect to etcd at ${endpoint}: ${ours}`, { object: endpoint, cause: error });
  if (!own || !REFUSES_CLIENT.test(error.message)) return error;
  const { name, issuer, file, notAfter } = own;
  const ends = new Date(notAfter).toISOString();
  if (now > notAfter) {
    const message = `connect to etcd at ${endpoint}: the client certificate ${name} (${file}) expired at ${ends}`;
    return new CodedError(KV_CERTIFICATE_EXPIRED, message, { object: name, cause: error });
  }
  const message = `connect to etcd at ${endpoint}: the server does not accept the client certificate ${name} of ${issuer} (${file}, until ${ends})`;
  return new CodedError(KV_UNAUTHENTICATED, message, { object: endpoint, cause: error });
}
