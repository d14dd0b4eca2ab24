import { afterKey, prefixRange } from '../../key-range.ts';
import type { KvCallOptions, KvPage } from '../../kvstore.ts';
import { decodeRange, type RangeAnswer } from './decode.ts';
import type { Answer, EtcdRpc } from './etcd-rpc.ts';
import { etcdMethod } from './protos.ts';

/** The read of one key or a range. */
export const RANGE = etcdMethod<object, RangeAnswer>('KV', 'Range', decodeRange);

/** Lists a prefix page by page at the first page's revision. The next page is on its way while this one is looked at. */
export async function* listPages(rpc: EtcdRpc, prefix: string, pageSize: number, options: KvCallOptions): AsyncGenerator<KvPage> {
  const { start, end } = prefixRange(prefix);
  const name = { verb: 'list', object: prefix };
  const ask = (key: Buffer, revision: number): Promise<Answer<RangeAnswer>> =>
    rpc.call(RANGE, { key, rangeEnd: end, limit: pageSize, revision }, name, options);
  let pending: Promise<Answer<RangeAnswer>> | undefined = ask(start, 0);
  let revision = 0;
  while (pending) {
    const page: Answer<RangeAnswer> = await pending;
    const { entries, more, header } = page.answer;
    revision ||= header.revision;
    pending = more && entries.length > 0 ? ask(afterKey(entries.at(-1)!.key), revision) : undefined;
    pending?.catch(() => undefined); // reported when it is awaited; until then nobody listens
    yield { entries, revision, clusterId: page.link.clusterId };
  }
}
