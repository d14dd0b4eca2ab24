import { defineError } from '@isthmus/core';

/** The remote's etcd cannot be read. */
export const MESH_REMOTE_DISCONNECTED = defineError(
  'MESH_REMOTE_DISCONNECTED',
  'The etcd that holds the records of a remote cluster cannot be read.',
  'Check that its endpoint answers and that our certificate is accepted there; what is known of the cluster is kept meanwhile.',
);

/** No heartbeat for too long. */
export const MESH_REMOTE_STALE = defineError(
  'MESH_REMOTE_STALE',
  'The heartbeat of a remote cluster has not changed for longer than its timeout.',
  'Check that the clustermesh-apiserver of that cluster runs; what is known of the cluster is kept meanwhile.',
);

/** There is no cluster configuration. */
export const MESH_CONFIG_MISSING = defineError(
  'MESH_CONFIG_MISSING',
  'A remote cluster has not published its configuration, or its lease ran out.',
  'Check that the clustermesh-apiserver of that cluster runs and that the cluster has the name under which it is configured here.',
);

/** The cluster configuration cannot be read. */
export const MESH_CONFIG_INVALID = defineError(
  'MESH_CONFIG_INVALID',
  'The configuration that a remote cluster has published cannot be read.',
  'Check the version of the clustermesh-apiserver of that cluster.',
);

/** A mark that a prefix is complete is missing. */
export const MESH_CANARY_MISSING = defineError(
  'MESH_CANARY_MISSING',
  'A remote cluster has not yet said that its records of a kind are complete, or its lease ran out.',
  'Wait for the clustermesh-apiserver of that cluster to finish its first listing; if it does not, read its log.',
);

/** The remote has our name. */
export const MESH_NAME_OWN = defineError(
  'MESH_NAME_OWN',
  'A remote cluster is configured under the name of this cluster.',
  'Remove its configuration; if two clusters have one name, install one of them anew under another.',
);

/** The remote has our id. */
export const MESH_ID_OWN = defineError(
  'MESH_ID_OWN',
  'A remote cluster has the id of this cluster.',
  'Give one of the two clusters another id.',
);

/** Two remotes have one id. */
export const MESH_ID_TAKEN = defineError(
  'MESH_ID_TAKEN',
  'A remote cluster has the id of another connected cluster.',
  'Give one of the two clusters another id, or disconnect one; the other one is then connected by itself.',
);

/** The remote has another id than it joined with. */
export const MESH_ID_CHANGED = defineError(
  'MESH_ID_CHANGED',
  'A remote cluster has another id than the one that it joined with.',
  'If the cluster was installed anew under that id, disconnect it and connect it again; what is known of it is kept meanwhile.',
);

/** The clusters were installed for meshes of different size. */
export const MESH_SIZE_MISMATCH = defineError(
  'MESH_SIZE_MISMATCH',
  'A remote cluster has another maxConnectedClusters than this one.',
  'Install both clusters with the same maxConnectedClusters: it decides how identities are numbered.',
);

/** The nodes of the clusters would not understand each other's packets. */
export const MESH_TUNNEL_MISMATCH = defineError(
  'MESH_TUNNEL_MISMATCH',
  'A remote cluster has another tunnel-protocol than this one.',
  'Set the same tunnel-protocol in both clusters, for every process; what is known of the cluster is kept meanwhile.',
);

/** The sink could not drop a cluster. */
export const MESH_DRAIN_FAILED = defineError(
  'MESH_DRAIN_FAILED',
  'The records of a removed cluster could not be dropped.',
  'It is tried again by itself; the cause says what is in the way.',
);
