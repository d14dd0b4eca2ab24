import { type Log, messageOf } from '@isthmus/core';
import type { EtcdConfig } from '@isthmus/kvstore';

/**
 * Ends every connection that clients have with the etcd, if it runs on this machine and this process may (CAP_NET_ADMIN).
 * @returns how many; undefined when that cannot be done
 */
export async function endEtcdConnections({ endpoints }: EtcdConfig, log: Pick<Log, 'warn'>): Promise<number | undefined> {
  const ports = new Set(endpoints.map((endpoint) => Number(new URL(endpoint).port)));
  try {
    // Loaded when it is needed: few processes ever need it.
    const { NetlinkSocket, connectedSockets, destroySocket } = await import('@isthmus/datapath');
    const diag = NetlinkSocket.open('sock-diag');
    try {
      // This process is connected itself, so that an etcd on this machine has at least one.
      const served = connectedSockets(diag, 'tcp', () => true).filter(({ sourcePort }) => ports.has(sourcePort));
      return served.length === 0 ? undefined : served.filter((socket) => destroySocket(diag, socket)).length;
    } finally {
      diag.close();
    }
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'connections of the mesh etcd cannot be ended from here');
    return undefined;
  }
}
