import type { CodedError } from '@isthmus/core';
import type { CaStatus, CertificateProfile, Certificates, ClusterOffer, Epoch, RemoteStatus } from '@isthmus/crypto';
import type { TunnelProtocol } from '@isthmus/model';

/** What this cluster says about itself. */
export interface LocalClusterFacts {
  name: string;
  id: number;
  maxConnectedClusters: 255 | 511;
  tunnelProtocol: TunnelProtocol;
  podCIDRs: string[];
  /** How remote clusters reach the mesh etcd. */
  endpoints: string[];
  /** How this cluster's agents reach the cluster etcd. */
  clusterEtcdEndpoints: string[];
  /** How remote clusters reach the join API; absent: it is not known under which address. */
  joinEndpoint?: string;
}

/** Tells what this cluster is at the moment; pod networks may grow. */
export interface LocalCluster {
  describe(): Promise<LocalClusterFacts>;
}

/** The epoch that the cluster is at with the keys of encryption. */
export interface EncryptionTarget {
  /** Undefined: it does not encrypt, or has not begun with it. */
  read(): Promise<Epoch | undefined>;
  /** Brings a cluster that encrypts to the epoch that another one is at; one that it is past is fine. @param by who asked for it */
  meet(cluster: string, epoch: Epoch, by: string): Promise<void>;
}

/** A cluster that this one is connected to: its offer without the request. */
export type RemoteCluster = Omit<ClusterOffer, 'csr'>;

/** What this cluster shows to a remote's mesh etcd. */
export interface RemoteCredential {
  certPem: string;
  keyPem: string;
}

/** The configured remote clusters. Whoever mirrors them watches the same place. */
export interface RemoteConfigStore {
  list(): Promise<readonly RemoteCluster[]>;
  /** Adds or replaces; the connection begins with it. */
  write(remote: RemoteCluster, credential: RemoteCredential): Promise<void>;
  /** An absent one is fine. */
  remove(name: string): Promise<void>;
}

/** The cluster's CA. */
export interface Signer {
  /** All CAs that this cluster trusts, PEM. */
  caBundle(): Promise<string>;
  /** @throws CodedError REQUEST_INVALID, REQUEST_UNPROVEN, CA_KEY_MISMATCH, CERTIFICATE_EXPIRED */
  sign(csrPem: string, profile: CertificateProfile): Promise<string>;
}

/** Users of the two etcds, named as the common names of certificates. */
export interface EtcdUsers {
  /** `remote-<cluster>` in the mesh etcd. */
  ensureRemoteUser(cluster: string): Promise<void>;
  /** `agent-<node>` in the cluster etcd. */
  ensureAgentUser(node: string): Promise<void>;
  hasAgentUser(node: string): Promise<boolean>;
  /** Removes a user by its full name; an absent one is fine. */
  remove(user: string): Promise<void>;
}

/** What became of a remote's access when it was withdrawn. */
export interface Withdrawal {
  /** Certificates that would still have been good. */
  certificates: number;
  /** Connections of the mesh etcd that were ended; null: that could not be done from here. */
  connectionsEnded: number | null;
}

/** Who of the remote clusters may read the mesh etcd. */
export interface RemoteAccess {
  /** Takes a remote's access away, at once and for every certificate that it has. */
  withdraw(cluster: string): Promise<Withdrawal>;
}

/** What is known of certificates, for people. */
export interface CertificateSource {
  list(): Promise<Certificates>;
}

/** The change of the cluster's CA. */
export interface CaChanger {
  status(): Promise<CaStatus>;
  /** @throws CodedError CA_CHANGE_UNDER_WAY, CA_PATH_LENGTH */
  rotate(): Promise<CaStatus>;
  /** @throws CodedError CA_CHANGE_WAITS, CA_CHANGE_NONE */
  retire(force: boolean): Promise<CaStatus>;
}

/** How the mirrors of the remote clusters do. */
export interface RemoteStatusSource {
  list(): Promise<readonly RemoteStatus[]>;
}

/** What is wrong with this cluster's own side of the mesh now. */
export type OwnProblems = () => readonly CodedError[];

/** Where the join API writes what happened. Same shape as pino's. */
export interface JoinLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
