import type { CredentialFiles } from '@isthmus/crypto';
import type { RemoteCluster } from '../join/ports.ts';

/** The configured remote clusters and what this cluster shows to each. */
export interface RemoteCredentialStore {
  list(): Promise<readonly RemoteCluster[]>;
  /** The credential for a remote. Nothing is written for one that is not configured. */
  credential(remote: string): CredentialFiles;
}
