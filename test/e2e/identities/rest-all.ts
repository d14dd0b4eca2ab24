/**
 * Lets every number of a range rest that stands for nothing, as if all had been used until a moment ago:
 * `rest-all.ts <etcd client file> <min> <max>`.
 */
import { readFileSync } from 'node:fs';
import { EtcdKvStore, type KvOp, MAX_TXN_OPS, parseEtcdConfig } from '@isthmus/kvstore';
import { identityKey } from '@isthmus/mesh';

const [file = '', min = '', max = ''] = process.argv.slice(2);
const store = new EtcdKvStore({ config: parseEtcdConfig(readFileSync(file, 'utf8'), file) });
const prefix = identityKey(0).slice(0, -1);
const given = new Set<string>();
for await (const { entries } of store.list(prefix)) for (const { key } of entries) given.add(key.slice(prefix.length));
let puts: KvOp[] = [];
const flush = async (): Promise<void> => {
  if (puts.length > 0) await store.txn({ success: puts });
  puts = [];
};
for (let id = Number(min); id <= Number(max); id++) {
  if (!given.has(String(id))) puts.push({ type: 'put', key: `isthmus/identities/retired/${id}`, value: '' });
  if (puts.length === MAX_TXN_OPS) await flush();
}
await flush();
store.close();
