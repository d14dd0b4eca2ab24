import { CodedError } from '@isthmus/core';
import type { RecordKind } from './record-kind.ts';
import { MESH_CANARY_MISSING, MESH_CONFIG_MISSING, MESH_REMOTE_DISCONNECTED, MESH_REMOTE_STALE } from './remote-errors.ts';

/** Why a remote cluster is less than current; each names the cluster. */
export const trouble = {
  disconnected: (cluster: string, cause: unknown): CodedError =>
    new CodedError(MESH_REMOTE_DISCONNECTED, `the records of ${cluster} cannot be read`, { object: cluster, cause }),

  configMissing: (cluster: string): CodedError =>
    new CodedError(MESH_CONFIG_MISSING, `${cluster} has no configuration`, { object: cluster }),

  canaryMissing: (cluster: string, kind: RecordKind): CodedError =>
    new CodedError(MESH_CANARY_MISSING, `${cluster} has not said that its ${kind} are complete`, { object: cluster }),

  stale: (cluster: string, ageMs: number): CodedError =>
    new CodedError(MESH_REMOTE_STALE, `the heartbeat of ${cluster} has not changed for ${Math.round(ageMs / 1000)} s`, { object: cluster }),
};
