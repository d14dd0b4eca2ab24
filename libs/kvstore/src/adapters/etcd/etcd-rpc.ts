import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type CodedError, isCoded } from '@isthmus/core';
import { KV_HANDED_OVER } from '../../kv-errors.ts';
import type { KvCallOptions } from '../../kvstore.ts';
import type { EtcdConnection } from './etcd-connection.ts';
import type { EtcdLink } from './etcd-link.ts';
import type { EtcdMethod } from './protos.ts';
import { isStaleAuth, rpcError } from './rpc-error.ts';

/** What a call is about, for its errors. */
export interface CallName {
  verb: string;
  /** The key, prefix, user, role or lease; empty where there is none. */
  object: string;
}

/** An answer and the link that it came over. */
export interface Answer<R> {
  answer: R;
  link: EtcdLink;
}

const NO_METADATA = new Metadata();
const STALE_AUTH_RETRIES = 10; // each means that an administrator changed something during the call

/** Single questions to etcd: each waits for a connection, has a deadline, and fails with a coded error. */
export class EtcdRpc {
  readonly connection: EtcdConnection;

  constructor(connection: EtcdConnection) {
    this.connection = connection;
  }

  /** Asks once. An answer from another cluster rejects. */
  async call<Q, R>(method: EtcdMethod<Q, R>, request: Q, name: CallName, options: KvCallOptions = {}): Promise<Answer<R>> {
    const { clock, timeoutMs } = this.connection.settings;
    const deadline = clock.now() + (options.timeoutMs ?? timeoutMs);
    for (let attempt = 0; ; attempt++) {
      const link = await this.connection.link(deadline - clock.now(), options.signal);
      try {
        const answer = await ask(link, method, request, Math.max(1, deadline - clock.now()), options.signal);
        const { header } = answer as { header?: { clusterId: string } };
        if (header) link.check(header.clusterId);
        return { answer, link };
      } catch (error) {
        if (isCoded(error, KV_HANDED_OVER)) continue; // it was not sent yet
        if (!isRpcFailure(error)) throw error;
        if (attempt >= STALE_AUTH_RETRIES || !isStaleAuth(error)) throw rpcError(error, { endpoint: link.target.name, ...name });
      }
    }
  }
}

/** True for what gRPC reports, false for our own errors and abort reasons. */
export function isRpcFailure(error: unknown): error is ServiceError {
  return error instanceof Error && 'details' in error && typeof (error as { code?: unknown }).code === 'number';
}

function ask<Q, R>(link: EtcdLink, method: EtcdMethod<Q, R>, request: Q, timeoutMs: number, signal?: AbortSignal): Promise<R> {
  if (link.failure) return Promise.reject(link.failure);
  return new Promise((resolve, reject) => {
    let given: { reason: unknown } | undefined;
    const done = (error: ServiceError | null, answer?: R): void => {
      untrack();
      signal?.removeEventListener('abort', onAbort);
      if (!error) resolve(answer!);
      else reject(given && error.code === status.CANCELLED ? given.reason : error);
    };
    const { path, serialize, deserialize } = method;
    const callOptions = { deadline: Date.now() + timeoutMs };
    const call = link.client.makeUnaryRequest(path, serialize, deserialize, request, NO_METADATA, callOptions, done);
    const cancel = (reason: unknown): void => {
      given = { reason };
      call.cancel();
    };
    const onAbort = (): void => cancel(signal!.reason);
    const untrack = link.track((error: CodedError) => cancel(error));
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
