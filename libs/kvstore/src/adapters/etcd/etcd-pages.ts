import { isCoded } from '@isthmus/core';
import { afterKey, prefixRange } from '../../key-range.ts';
import { KV_TOO_LARGE } from '../../kv-errors.ts';
import type { KvCallOptions, KvEntry, KvPage } from '../../kvstore.ts';
import { decodeRange, type RangeAnswer } from './decode.ts';
import type { Answer, EtcdRpc } from './etcd-rpc.ts';
import { etcdMethod } from './protos.ts';

/** The read of one key or a range. */
export const RANGE = etcdMethod<object, RangeAnswer>('KV', 'Range', decodeRange);

const FIRST_LIMIT = 128;
const MAX_LIMIT = 10_000;
const PAGE_BYTES = 1024 * 1024;

/**
 * Lists a prefix page by page at the first page's revision. The next page is on its way while this one is looked at.
 * Without a page size the pages grow to about 1 MiB each: etcd 3.4 walks over all the rest of the range for every page.
 */
export async function* listPages(rpc: EtcdRpc, prefix: string, options: KvCallOptions & { pageSize?: number }): AsyncGenerator<KvPage> {
  const { start, end } = prefixRange(prefix);
  const name = { verb: 'list', object: prefix };
  /** A page that is larger than a message may be is asked for in smaller parts: values are as large as their writers make them. */
  const ask = async (key: Buffer, limit: number, revision: number): Promise<Answer<RangeAnswer>> => {
    try {
      return await rpc.call(RANGE, { key, rangeEnd: end, limit, revision }, name, options);
    } catch (error) {
      if (!isCoded(error, KV_TOO_LARGE) || limit === 1) throw error;
      return ask(key, Math.ceil(limit / 4), revision);
    }
  };
  let pending: Promise<Answer<RangeAnswer>> | undefined = ask(start, options.pageSize ?? FIRST_LIMIT, 0);
  let revision = 0;
  while (pending) {
    const page: Answer<RangeAnswer> = await pending;
    const { entries, more, header } = page.answer;
    revision ||= header.revision;
    const next = more ? entries.at(-1) : undefined;
    pending = next && ask(afterKey(next.key), options.pageSize ?? limitAfter(entries), revision);
    pending?.catch(() => undefined); // reported when it is awaited; until then nobody listens
    yield { entries, revision, clusterId: page.link.clusterId };
  }
}

/** How many entries like these make a page of the wanted size; never a large step at once. */
function limitAfter(entries: readonly KvEntry[]): number {
  const bytes = entries.reduce((sum, { key, value }) => sum + key.length + value.length + 32, 0);
  const fitting = Math.floor((PAGE_BYTES * entries.length) / bytes);
  return Math.max(1, Math.min(fitting, entries.length * 16, MAX_LIMIT));
}
