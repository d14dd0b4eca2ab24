import type { CodedError } from '@isthmus/core';
import type { CertificateProfile, ClusterOffer, RemoteStatus } from '@isthmus/crypto';

/** What this cluster says about itself. */
export interface LocalClusterFacts {
  name: string;
  id: number;
  maxConnectedClusters: 255 | 511;
  podCIDRs: string[];
  /** How remote clusters reach the mesh etcd. */
  endpoints: string[];
  /** How this cluster's agents reach the cluster etcd. */
  clusterEtcdEndpoints: string[];
}

/** Tells what this cluster is at the moment; pod networks may grow. */
export interface LocalCluster {
  describe(): Promise<LocalClusterFacts>;
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
