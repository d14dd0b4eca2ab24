import { isCoded } from '@isthmus/core';
import { afterKey, prefixRange } from '../../key-range.ts';
import { KV_TOO_LARGE } from '../../kv-errors.ts';
import type { KvCallOptions, KvEntry, KvPage } from '../../kvstore.ts';
import { decodePage, decodeRange, type PageAnswer } from './decode.ts';
import { encodeRange } from './encode.ts';
import type { Answer, EtcdRpc } from './etcd-rpc.ts';
import { Gate } from './gate.ts';
import { etcdMethod } from './protos.ts';

/** The read of one key. */
export const RANGE = etcdMethod('KV', 'Range', encodeRange, decodeRange);
const PAGE = etcdMethod('KV', 'Range', encodeRange, decodePage);

const FIRST_LIMIT = 128;
const MAX_LIMIT = 20_000;
const MESSAGE_BYTES = 4 * 1024 * 1024;
/** Entries that are read from a message in one turn of the event loop. */
const TURN_ENTRIES = 1_000;
/** Messages on their way at once: of a thousand listings the answers would come all in one turn. */
const AT_ONCE = 2;

/** Lists prefixes of one etcd. */
export class EtcdPages {
  readonly #rpc: EtcdRpc;
  readonly #gate = new Gate(AT_ONCE);

  constructor(rpc: EtcdRpc) {
    this.#rpc = rpc;
  }

  /**
   * Lists a prefix page by page at the first page's revision. The next message is on its way while this one is looked at. Without a page
   * size messages grow to about 4 MiB each: etcd 3.4 walks over all the rest of the range for every one.
   */
  async *list(prefix: string, options: KvCallOptions & { pageSize?: number }): AsyncGenerator<KvPage> {
    const { start, end } = prefixRange(prefix);
    const name = { verb: 'list', object: prefix };
    /** A message that is larger than it may be is asked for in smaller parts: values are as large as their writers make them. */
    const ask = async (key: Buffer, limit: number, revision: number): Promise<Answer<PageAnswer>> => {
      try {
        return await this.#gate.run(() => this.#rpc.call(PAGE, { key, rangeEnd: end, limit, revision }, name, options));
      } catch (error) {
        if (!isCoded(error, KV_TOO_LARGE) || limit === 1) throw error;
        return ask(key, Math.ceil(limit / 4), revision);
      }
    };
    let pending: Promise<Answer<PageAnswer>> | undefined = ask(start, options.pageSize ?? FIRST_LIMIT, 0);
    let revision = 0;
    while (pending) {
      const { answer, link }: Answer<PageAnswer> = await pending;
      revision ||= answer.header.revision;
      const last: KvEntry | undefined = answer.more ? answer.entries(answer.count - 1, answer.count)[0] : undefined;
      pending = last && ask(afterKey(last.key), options.pageSize ?? limitAfter(answer), revision);
      pending?.catch(() => undefined); // reported when it is awaited; until then nobody listens
      for (let from = 0; from === 0 || from < answer.count; from += TURN_ENTRIES) {
        if (from > 0) await turn();
        yield { entries: answer.entries(from, from + TURN_ENTRIES), revision, clusterId: link.clusterId };
      }
    }
  }
}

/** How many entries like these make a message of the wanted size; never a large step at once. */
function limitAfter({ count, bytes }: PageAnswer): number {
  return Math.max(1, Math.min(Math.floor((MESSAGE_BYTES * count) / bytes), count * 16, MAX_LIMIT));
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
