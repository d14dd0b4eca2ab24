import { type ServiceError, status } from '@grpc/grpc-js';
import { CodedError, type ErrorCode } from '@isthmus/core';
import {
  KV_COMPACTED,
  KV_LEASE_LOST,
  KV_OVERLOADED,
  KV_PERMISSION,
  KV_QUOTA,
  KV_REQUEST,
  KV_REVISION_AHEAD,
  KV_TIMEOUT,
  KV_TOO_LARGE,
  KV_UNAUTHENTICATED,
  KV_UNREACHABLE,
} from '../../kv-errors.ts';

/** What a failed call was about. */
export interface CallSubject {
  /** The endpoint, as people write it. */
  endpoint: string;
  /** What was done, such as `put`. */
  verb: string;
  /** The key, prefix, user, role or lease. */
  object: string;
  /** What the error is about, where that is not the object. */
  about?: string;
}

// etcd's texts are stable across 3.x and tell more than the status codes, which differ between versions
const BY_TEXT: readonly [RegExp, ErrorCode][] = [
  [/required revision has been compacted/, KV_COMPACTED],
  [/required revision is a future revision/, KV_REVISION_AHEAD],
  [/database space exceeded/, KV_QUOTA],
  [/request is too large|too many operations|message larger than max|message length too large/i, KV_TOO_LARGE],
  [/permission denied/, KV_PERMISSION],
  [/requested lease not found/, KV_LEASE_LOST],
  [/too many requests/, KV_OVERLOADED],
  [/user name is empty|invalid auth token|authentication failed|authentication is not enabled/, KV_UNAUTHENTICATED],
  [/certificate|self[- ]signed|unable to verify|tlsv1|ssl3?_|handshake failure|Hostname\/IP does not match/i, KV_UNAUTHENTICATED],
];

const BY_STATUS: Partial<Record<status, ErrorCode>> = {
  [status.UNAVAILABLE]: KV_UNREACHABLE,
  [status.DEADLINE_EXCEEDED]: KV_TIMEOUT,
  [status.PERMISSION_DENIED]: KV_PERMISSION,
  [status.UNAUTHENTICATED]: KV_UNAUTHENTICATED,
  [status.RESOURCE_EXHAUSTED]: KV_OVERLOADED,
  [status.CANCELLED]: KV_UNREACHABLE,
  [status.INTERNAL]: KV_UNREACHABLE, // what grpc-js reports when a connection breaks in the middle of an answer
};

/** The coded form of a gRPC error. */
export function rpcError(error: ServiceError, subject: CallSubject): CodedError {
  // grpc-js ends some texts with a note that is often empty.
  return etcdError((error.details || error.message).replace(/ ?Resolution note: ?$/, ''), subject, error.code);
}

/** The coded form of an error that etcd puts into a message, such as a watch's cancel reason. */
export function etcdError(text: string, { endpoint, verb, object, about }: CallSubject, code?: status): CodedError {
  const kind = BY_TEXT.find(([pattern]) => pattern.test(text))?.[1] ?? (code === undefined ? undefined : BY_STATUS[code]) ?? KV_REQUEST;
  return new CodedError(kind, `${verb} ${object} at ${endpoint}: ${text.replace(/^(etcdserver|mvcc|auth): /, '')}`, {
    object: about ?? object,
  });
}

/** True when the server changed its users or roles while it looked at this call: nothing was done, and asking again is right. */
export function isStaleAuth(error: ServiceError): boolean {
  return /revision of auth store is old/.test(error.details ?? '');
}
