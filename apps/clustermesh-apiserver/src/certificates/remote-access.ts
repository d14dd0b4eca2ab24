import { LOG } from '@isthmus/core';
import { clientNames } from '@isthmus/crypto';
import type { EtcdUsers, RemoteAccess, Withdrawal } from '../join/ports.ts';
import type { Log } from '../log.ts';
import type { IssuedLedger } from './issued-ledger.ts';

/** What a {@link MeshEtcdAccess} works with. */
export interface MeshEtcdAccessOptions {
  users: EtcdUsers;
  ledger: IssuedLedger;
  /** Puts the list of revoked certificates where the mesh etcd reads it. */
  publishRevoked(revoked: readonly { serial: string; at: number }[]): Promise<void>;
  /** Ends every connection of the mesh etcd; undefined where that cannot be done. */
  endConnections(): Promise<number | undefined>;
  log: Log;
}

/** Who of the other clusters may read this one's mesh etcd. */
export class MeshEtcdAccess implements RemoteAccess {
  readonly #options: MeshEtcdAccessOptions;

  constructor(options: MeshEtcdAccessOptions) {
    this.#options = options;
  }

  /**
   * Takes a cluster's access away, in three parts. Its etcd user goes, so that every request is refused. Its certificates are listed as revoked,
   * so that they open nothing when the user comes back with another certificate. And the connections that are open end: etcd checks a watch
   * when it begins and never again. Whoever else was connected comes back at once.
   */
  async withdraw(cluster: string): Promise<Withdrawal> {
    const { users, ledger, publishRevoked, endConnections, log } = this.#options;
    const user = clientNames.remote(cluster);
    await users.remove(user);
    const certificates = await ledger.revoke(user);
    await publishRevoked(await ledger.revoked());
    const connectionsEnded = (await endConnections()) ?? null;
    const fields = { [LOG.cluster]: cluster, certificates, connectionsEnded };
    if (connectionsEnded === null)
      log.warn(fields, 'a cluster may not read any more; watches that it has open go on until the mesh etcd is restarted');
    else log.info(fields, 'a cluster may not read any more');
    return { certificates, connectionsEnded };
  }
}
