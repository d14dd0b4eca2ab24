import type { SinkFailures } from '@isthmus/core';
import { NetlinkSocket } from './netlink/index.ts';

/** Does something with each row over one socket; one that fails does not keep the others. */
export function each<R extends { key: string }>(rows: readonly R[], fn: (row: R, socket: NetlinkSocket) => void): SinkFailures {
  const failures = new Map<string, unknown>();
  NetlinkSocket.using('route', undefined, (socket) => {
    for (const row of rows) {
      try {
        fn(row, socket);
      } catch (error) {
        failures.set(row.key, error);
      }
    }
  });
  return failures;
}
