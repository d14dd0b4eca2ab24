import type { DumpPart } from './dump-part.ts';
import type { Machine } from './machine.ts';

/** Metrics and readiness of processes that serve them over HTTP. @param addresses `host:port` each */
export function scrapePart(machine: Machine, addresses: readonly string[]): DumpPart {
  return {
    name: 'metrics',
    files: async () =>
      addresses.flatMap((address) =>
        ['metrics', 'readyz'].map((page) => ({
          path: `http/${address.replaceAll(/[^a-zA-Z0-9.]/g, '-')}/${page}.txt`,
          read: () => machine.page(`http://${address}/${page}`),
        })),
      ),
  };
}
