import type { Clock } from '@isthmus/core';
import {
  type CaKeyPair,
  type CaStatus,
  createClusterCa,
  MemoryTokenStore,
  signRequest,
  systemRandomBytes,
  TokenLedger,
} from '@isthmus/crypto';
import { CheckIns } from '../../certificates/check-ins.ts';
import { type IssuedCertificate, IssuedLedger } from '../../certificates/issued-ledger.ts';
import { RecordingSigner } from '../../certificates/recording-signer.ts';
import { Refusals } from '../../certificates/refusals.ts';
import { MeshEtcdAccess } from '../../certificates/remote-access.ts';
import type { Log } from '../../log.ts';
import type { JoinPorts } from '../join.module.ts';
import type { EncryptionTarget, EtcdUsers, LocalClusterFacts, RemoteCluster, RemoteConfigStore, RemoteCredential } from '../ports.ts';

/** Remote clusters in memory; `failWrite` makes the next write fail after it took effect. */
export class MemoryRemoteConfigStore implements RemoteConfigStore {
  readonly entries = new Map<string, { remote: RemoteCluster; credential: RemoteCredential }>();
  failWrite = false;

  async list(): Promise<readonly RemoteCluster[]> {
    return [...this.entries.values()].map((e) => e.remote);
  }

  async write(remote: RemoteCluster, credential: RemoteCredential): Promise<void> {
    this.entries.set(remote.name, { remote, credential });
    if (!this.failWrite) return;
    this.failWrite = false;
    throw new Error('disk full');
  }

  async remove(name: string): Promise<void> {
    this.entries.delete(name);
  }
}

/** Users in memory, by full name. */
export class MemoryEtcdUsers implements EtcdUsers {
  readonly names = new Set<string>();

  async ensureRemoteUser(cluster: string): Promise<void> {
    this.names.add(`remote-${cluster}`);
  }

  async ensureAgentUser(node: string): Promise<void> {
    this.names.add(`agent-${node}`);
  }

  async hasAgentUser(node: string): Promise<boolean> {
    return this.names.has(`agent-${node}`);
  }

  async remove(user: string): Promise<void> {
    this.names.delete(user);
  }
}

/** A target in memory; undefined: the cluster does not encrypt. */
export class MemoryEncryptionTarget implements EncryptionTarget {
  epoch: number | undefined;
  /** Who brought it where, and for whom. */
  readonly met: string[] = [];

  async read(): Promise<number | undefined> {
    return this.epoch;
  }

  async meet(cluster: string, epoch: number, by: string): Promise<void> {
    if (this.epoch === undefined || this.epoch >= epoch) return;
    this.epoch = epoch;
    this.met.push(`${epoch} for ${cluster} by ${by}`);
  }
}

/** A log that keeps `<level> <message>`. */
export function lineLog(lines: string[]): Log {
  const line = (level: string) => (_: object, message: string) => void lines.push(`${level} ${message}`);
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') } as unknown as Log;
}

/** A ledger that forgets with the process. */
export function memoryLedger(clock: Clock): IssuedLedger {
  let kept: readonly IssuedCertificate[] = [];
  const write = async (entries: readonly IssuedCertificate[]): Promise<void> => {
    kept = entries;
  };
  return new IssuedLedger({ read: async () => kept, write }, clock);
}

/** A whole cluster's ports in memory, with a real CA. */
export interface MemoryCluster {
  ports: JoinPorts;
  ca: CaKeyPair;
  facts: LocalClusterFacts;
  remotes: MemoryRemoteConfigStore;
  users: MemoryEtcdUsers;
  target: MemoryEncryptionTarget;
  /** Log lines that were written, as `<level> <message>`. */
  lines: string[];
  /** Serials that the mesh etcd refuses. */
  revoked: string[];
}

/** Makes the ports of a cluster named `name`, number `id`, with pod networks `10.<id>.0.0/16` and `fd00:<id>::/64`. */
export async function memoryCluster(name: string, id: number, clock: Clock): Promise<MemoryCluster> {
  const ca = await createClusterCa({ cluster: name, clock });
  const facts: LocalClusterFacts = {
    name,
    id,
    maxConnectedClusters: 255,
    tunnelProtocol: 'vxlan',
    podCIDRs: [`10.${id}.0.0/16`, `fd00:${id}::/64`],
    endpoints: [`https://192.0.2.${id}:2379`],
    clusterEtcdEndpoints: [`https://192.0.2.${id}:2381`],
  };
  const remotes = new MemoryRemoteConfigStore();
  const users = new MemoryEtcdUsers();
  const target = new MemoryEncryptionTarget();
  const [lines, revoked] = [[] as string[], [] as string[]];
  const ledger = memoryLedger(clock);
  const noChange = async (): Promise<CaStatus> => ({ cas: [], waitsFor: [], stillTrusted: [] });
  const ports: JoinPorts = {
    local: { describe: async () => structuredClone(facts) },
    remotes,
    users,
    target,
    status: { list: async () => (await remotes.list()).map((r) => ({ name: r.name, id: r.id, ready: true, state: 'ready' })) },
    problems: () => [],
    signer: new RecordingSigner(
      { caBundle: async () => ca.certPem, sign: async (csrPem, profile) => await signRequest({ ca, csrPem, profile, clock }) },
      ledger,
    ),
    access: new MeshEtcdAccess({
      users,
      ledger,
      publishRevoked: async (list) => void revoked.splice(0, Number.POSITIVE_INFINITY, ...list.map(({ serial }) => serial)),
      endConnections: async () => 3,
      log: lineLog(lines),
    }),
    ledger,
    checkIns: new CheckIns(clock),
    refusals: new Refusals(clock),
    certificates: { list: async () => ({ certificates: [], refused: [] }) },
    ca: { status: noChange, rotate: noChange, retire: noChange },
    tokens: new TokenLedger({ store: new MemoryTokenStore(), clock, randomBytes: systemRandomBytes, caPin: () => '0'.repeat(64) }),
    clock,
    randomBytes: systemRandomBytes,
    log: lineLog(lines),
  };
  return { ports, ca, facts, remotes, users, target, lines, revoked };
}
