/** Writes keys of an etcd as it is told on standard input: run in a place of a lab from where that etcd can be reached. */
import { text } from 'node:stream/consumers';
import { type EtcdConfig, EtcdKvStore } from '@isthmus/kvstore';
import type { KeyWrite } from './fake-remote.ts';

const { config, writes } = JSON.parse(await text(process.stdin)) as { config: EtcdConfig; writes: readonly KeyWrite[] };
const kv = new EtcdKvStore({ config, timeoutMs: 20_000 });
for (const { key, value, base64 } of writes) {
  if (base64 !== undefined) await kv.put(key, Buffer.from(base64, 'base64'));
  else if (value === undefined) await kv.deletePrefix(key);
  else await kv.put(key, value);
}
kv.close();
