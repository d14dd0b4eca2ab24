import { Metadata } from '@grpc/grpc-js';
import { CodedError } from '@isthmus/core';
import { KV_TIMEOUT } from '../../kv-errors.ts';
import type { EtcdLink } from './etcd-link.ts';
import { type CallName, isRpcFailure } from './etcd-rpc.ts';
import type { EtcdMethod } from './protos.ts';
import { rpcError } from './rpc-error.ts';

/** When a stream must have said its first word. */
export interface FirstAnswer {
  withinMs: number;
  after(ms: number, fn: () => void): () => void;
}

// A member that is cut off from the others ends the stream instead of staying silent
const REQUIRE_LEADER = new Metadata();
REQUIRE_LEADER.set('hasleader', 'true');

/**
 * Sends one request over a stream of its own and yields the answers, no faster than they are taken.
 * Ends silently when the signal aborts or the reader leaves; rejects with a coded error otherwise.
 */
export async function* streamAnswers<Q, R>(
  link: EtcdLink,
  method: EtcdMethod<Q, R>,
  request: Q,
  name: CallName,
  first: FirstAnswer,
  signal?: AbortSignal,
): AsyncGenerator<R> {
  let given: CodedError | undefined;
  const { path, serialize, deserialize } = method;
  const stream = link.client.makeBidiStreamRequest(path, serialize, deserialize, REQUIRE_LEADER);
  stream.on('error', () => undefined); // the loop below reports it; without a listener a late one would end the process
  const cancel = (error?: CodedError): void => {
    given ??= error;
    stream.cancel();
  };
  const onAbort = (): void => cancel();
  const untrack = link.trackStream(cancel);
  const cancelTimer = first.after(first.withinMs, () => cancel(silent(link, name, first.withinMs)));
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    if (link.failure) throw link.failure;
    stream.write(request);
    for await (const answer of stream as AsyncIterable<R>) {
      cancelTimer();
      if (signal?.aborted) return;
      yield answer;
    }
  } catch (error) {
    if (signal?.aborted) return;
    throw given ?? (isRpcFailure(error) ? rpcError(error, { endpoint: link.target.name, ...name }) : error);
  } finally {
    cancelTimer();
    untrack();
    signal?.removeEventListener('abort', onAbort);
    stream.cancel();
  }
}

function silent(link: EtcdLink, { verb, object }: CallName, ms: number): CodedError {
  return new CodedError(KV_TIMEOUT, `${verb} ${object} at ${link.target.name}: no answer within ${ms} ms`, { object });
}
