import { EtcdKvStore } from '@isthmus/kvstore';
import type { ClientConfig } from '../mesh/etcd-client.ts';

/** What a relay is told, as JSON in its first argument. */
export interface RelayArguments {
  readonly from: ClientConfig;
  readonly to: ClientConfig;
  readonly prefix: string;
}

/** The least that a relay can do: every put under a prefix of one etcd is put into another one. It ends when its standard input does. */
async function relay({ from, to, prefix }: RelayArguments): Promise<void> {
  const [source, target] = [new EtcdKvStore({ config: from }), new EtcdKvStore({ config: to })];
  const stop = new AbortController();
  process.stdin.on('end', () => stop.abort()).resume();
  for await (const { kind, events } of source.watch(prefix, { signal: stop.signal })) {
    if (kind === 'created') process.stdout.write('ready\n');
    for (const { type, entry } of events) if (type === 'put') await target.put(entry.key, entry.value);
  }
  source.close();
  target.close();
}

await relay(JSON.parse(process.argv[2] ?? '') as RelayArguments);
