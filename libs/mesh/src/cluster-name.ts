import { CodedError, defineError } from '@isthmus/core';
import { isMeshSize, type MaxConnectedClusters } from './numeric-identity.ts';

/** A cluster's name breaks the rules. */
export const MESH_CLUSTER_NAME_INVALID = defineError(
  'MESH_CLUSTER_NAME_INVALID',
  'A cluster name is not one that the mesh can use.',
  'Use 1 to 32 lower-case letters, digits and hyphens, beginning and ending with a letter or digit, and not the name "default".',
);

/** A cluster's id breaks the rules. */
export const MESH_CLUSTER_ID_INVALID = defineError(
  'MESH_CLUSTER_ID_INVALID',
  'A cluster id is outside what the mesh allows.',
  'Use an integer from 1 to maxConnectedClusters (255 or 511); every cluster of the mesh has its own.',
);

/** The mesh size is none of the two allowed. */
export const MESH_SIZE_INVALID = defineError(
  'MESH_SIZE_INVALID',
  'maxConnectedClusters is neither 255 nor 511.',
  'Set maxConnectedClusters to 255 or 511, the same in every cluster, before the first cluster is joined.',
);

/** Longest cluster name, in characters. */
export const MAX_CLUSTER_NAME = 32;

const NAME = /^(?:[a-z0-9][-a-z0-9]*)?[a-z0-9]$/;

/** What is wrong with a cluster's name, or undefined. `default` is the name of a cluster that is in no mesh. */
export function checkClusterName(name: string): CodedError | undefined {
  if (name.length <= MAX_CLUSTER_NAME && NAME.test(name) && name !== 'default') return undefined;
  const object = name.slice(0, 64);
  return new CodedError(MESH_CLUSTER_NAME_INVALID, `${JSON.stringify(object)} cannot be the name of a cluster in a mesh`, { object });
}

/** What is wrong with a cluster's id in a mesh of this size, or undefined. */
export function checkClusterId(id: number, max: MaxConnectedClusters): CodedError | undefined {
  if (Number.isInteger(id) && id >= 1 && id <= max) return undefined;
  return new CodedError(MESH_CLUSTER_ID_INVALID, `${id} is not a cluster id from 1 to ${max}`, { object: String(id) });
}

/** What is wrong with a mesh size, or undefined. */
export function checkMeshSize(size: number): CodedError | undefined {
  if (isMeshSize(size)) return undefined;
  return new CodedError(MESH_SIZE_INVALID, `maxConnectedClusters is ${size}`, { object: String(size) });
}
