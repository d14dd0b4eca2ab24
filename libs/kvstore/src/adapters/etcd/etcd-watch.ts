import { CodedError } from '@isthmus/core';
import { prefixRange } from '../../key-range.ts';
import { KV_COMPACTED, KV_TOO_LARGE } from '../../kv-errors.ts';
import type { KvEvent, KvWatchOptions, KvWatchResponse } from '../../kvstore.ts';
import { decodeWatch, type WatchAnswer } from './decode.ts';
import { encodeWatch, type WatchRequest } from './encode.ts';
import type { EtcdConnection } from './etcd-connection.ts';
import type { EtcdLink } from './etcd-link.ts';
import { streamAnswers } from './etcd-stream.ts';
import { etcdMethod } from './protos.ts';
import { etcdError } from './rpc-error.ts';

/** Bytes of keys and values in one response that came in parts: a thousand revisions of etcd's largest transactions have fewer. */
const MAX_RESPONSE = 128 * 1024 * 1024;

const WATCH = etcdMethod('Watch', 'Watch', encodeWatch, decodeWatch);

/** Watches a prefix over a stream of its own, on the connection that is open now. */
export async function* watchPrefix(connection: EtcdConnection, prefix: string, options: KvWatchOptions): AsyncGenerator<KvWatchResponse> {
  const { signal, fromRevision } = options;
  if (signal?.aborted) return;
  const { timeoutMs, clock } = connection.settings;
  let link: EtcdLink;
  try {
    link = await connection.link(timeoutMs, signal);
  } catch (error) {
    if (signal?.aborted) return;
    throw error;
  }
  const name = { verb: 'watch', object: prefix };
  const first = { withinMs: timeoutMs, after: (ms: number, fn: () => void) => clock.after(ms, fn) };
  const reading = new WatchReading(link, prefix, fromRevision);
  for await (const answer of streamAnswers(link, WATCH, watchRequest(prefix, options), name, first, signal)) {
    const response = reading.take(answer);
    if (response) yield response;
  }
}

function watchRequest(prefix: string, { fromRevision, prevKv }: KvWatchOptions): WatchRequest {
  const { start, end } = prefixRange(prefix);
  // One revision early: etcd refuses a start *below* the compacted revision only, and at that revision its deletions are already gone.
  const startRevision = fromRevision === undefined ? 0 : Math.max(1, fromRevision - 1);
  return { key: start, rangeEnd: end, startRevision, prevKv: prevKv ?? false };
}

/** Turns the messages of one stream into responses: fragments put together, early events left out. */
class WatchReading {
  readonly #link: EtcdLink;
  readonly #prefix: string;
  readonly #from: number | undefined;
  #revision = 0;
  #fragments: KvEvent[] = [];
  #bytes = 0;

  constructor(link: EtcdLink, prefix: string, fromRevision: number | undefined) {
    this.#link = link;
    this.#prefix = prefix;
    this.#from = fromRevision;
  }

  take(answer: WatchAnswer): KvWatchResponse | undefined {
    this.#link.check(answer.header.clusterId);
    if (answer.canceled) throw this.#canceled(answer);
    if (answer.created) {
      this.#revision = this.#from === undefined ? answer.header.revision : this.#from - 1;
      return this.#response('created', answer, []);
    }
    if (answer.events.length === 0 && this.#fragments.length === 0) {
      this.#revision = Math.max(this.#revision, answer.header.revision);
      return this.#response('progress', answer, []);
    }
    return this.#takeEvents(answer);
  }

  #takeEvents(answer: WatchAnswer): KvWatchResponse | undefined {
    this.#fragments = this.#fragments.length === 0 ? answer.events : this.#fragments.concat(answer.events);
    if (answer.fragment) {
      this.#count(answer.events);
      return undefined;
    }
    this.#bytes = 0;
    const from = this.#from ?? 0;
    const events =
      this.#fragments[0]!.entry.modRevision >= from ? this.#fragments : this.#fragments.filter((e) => e.entry.modRevision >= from);
    this.#fragments = [];
    if (events.length === 0) return undefined;
    this.#revision = events.at(-1)!.entry.modRevision; // the header's is the store's, which may be further on
    return this.#response('events', answer, events);
  }

  #count(events: readonly KvEvent[]): void {
    for (const { entry } of events) this.#bytes += entry.key.length + entry.value.length;
    if (this.#bytes <= MAX_RESPONSE) return;
    const where = `watch ${this.#prefix} at ${this.#link.target.name}`;
    throw new CodedError(KV_TOO_LARGE, `${where}: one response has more than ${MAX_RESPONSE} bytes`, { object: this.#prefix });
  }

  #response(kind: KvWatchResponse['kind'], { header }: WatchAnswer, events: readonly KvEvent[]): KvWatchResponse {
    return { kind, revision: this.#revision, storeRevision: header.revision, clusterId: header.clusterId, events };
  }

  #canceled({ compactRevision, cancelReason }: WatchAnswer): CodedError {
    const subject = { endpoint: this.#link.target.name, verb: 'watch', object: this.#prefix };
    if (compactRevision === 0) return etcdError(cancelReason || 'the server ended the watch', subject);
    const where = `watch ${this.#prefix} from revision ${this.#from} at ${subject.endpoint}`;
    return new CodedError(KV_COMPACTED, `${where}: compacted up to ${compactRevision}`, { object: this.#prefix });
  }
}
