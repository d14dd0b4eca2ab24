import type { SinkFailures } from '@isthmus/core';

/** Calls under way at a time: enough to hide the store's latency, few enough not to crowd out others. */
const CONCURRENCY = 16;

/** Does something for each item, up to 16 at a time, started in order. What fails does not keep the others from being done. */
export async function rowByRow<T>(
  items: readonly { key: string; item: T }[],
  work: (item: T) => Promise<void>,
  concurrency = CONCURRENCY,
): Promise<SinkFailures> {
  const failures = new Map<string, unknown>();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = items[next++]; at; at = items[next++]) {
      const { key, item } = at;
      await work(item).catch((error: unknown) => failures.set(key, error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane));
  return failures;
}
