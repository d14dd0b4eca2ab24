import { LOG, type Log } from '@isthmus/core';
import type { EtcdConnectionEvent } from '@isthmus/kvstore';

/** Writes the steps of the connection to the cluster etcd into the log. */
export function logConnection(log: Log): (event: EtcdConnectionEvent) => void {
  return (event) => {
    const fields = { [LOG.endpoint]: event.endpoint };
    if (event.type === 'connected') log.info({ ...fields, [LOG.cluster]: event.clusterId, [LOG.version]: event.version }, 'etcd connected');
    else log.warn({ ...fields, [LOG.error]: event.error }, event.type === 'lost' ? 'etcd connection lost' : 'etcd cannot be reached');
  };
}
