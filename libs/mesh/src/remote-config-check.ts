import { CodedError } from '@isthmus/core';
import type { TunnelProtocol } from '@isthmus/model';
import type { ClusterConfig } from './cluster-config.codec.ts';
import type { ClusterIds } from './cluster-ids.ts';
import { checkClusterId, checkClusterName } from './cluster-name.ts';
import type { Decoded } from './decode-result.ts';
import type { MaxConnectedClusters } from './numeric-identity.ts';
import {
  MESH_CONFIG_INVALID,
  MESH_ID_CHANGED,
  MESH_ID_OWN,
  MESH_ID_TAKEN,
  MESH_NAME_OWN,
  MESH_SIZE_MISMATCH,
  MESH_TUNNEL_MISMATCH,
} from './remote-errors.ts';

/** The cluster that imports. */
export interface OwnCluster {
  name: string;
  id: number;
  maxConnectedClusters: MaxConnectedClusters;
  tunnelProtocol: TunnelProtocol;
}

/** Outcome of {@link checkRemoteConfig}. */
export type ConfigVerdict = { ok: true; config: ClusterConfig } | { ok: false; problem: CodedError };

/**
 * Decides whether a remote may be connected. Reserves nothing.
 * @param joinedId the id that it joined with, where that is known
 */
export function checkRemoteConfig(
  cluster: string,
  decoded: Decoded<ClusterConfig>,
  own: OwnCluster,
  ids: ClusterIds,
  joinedId?: number,
): ConfigVerdict {
  if (!decoded.ok)
    return refused(new CodedError(MESH_CONFIG_INVALID, `the configuration of ${cluster} is ${decoded.reason}`, { object: cluster }));
  const { id } = decoded.value;
  const problem =
    checkClusterName(cluster) ??
    checkAgainstOwn(cluster, decoded.value, own) ??
    checkTaken(cluster, id, ids) ??
    checkJoined(cluster, id, joinedId);
  return problem === undefined ? { ok: true, config: decoded.value } : refused(problem);
}

function refused(problem: CodedError): ConfigVerdict {
  return { ok: false, problem };
}

function checkAgainstOwn(cluster: string, config: ClusterConfig, own: OwnCluster): CodedError | undefined {
  if (cluster === own.name) return new CodedError(MESH_NAME_OWN, `${cluster} is the name of this cluster`, { object: cluster });
  if (config.maxConnectedClusters !== own.maxConnectedClusters) {
    const sizes = `${config.maxConnectedClusters}, this cluster has ${own.maxConnectedClusters}`;
    return new CodedError(MESH_SIZE_MISMATCH, `${cluster} has maxConnectedClusters ${sizes}`, { object: cluster });
  }
  if (config.id === own.id)
    return new CodedError(MESH_ID_OWN, `${cluster} has the id ${config.id} of this cluster (${own.name})`, { object: cluster });
  return checkClusterId(config.id, own.maxConnectedClusters) ?? checkTunnel(cluster, config, own);
}

/** Packets of the one would be none to the other. A cluster that does not say is taken at its word that it fits. */
function checkTunnel(cluster: string, { tunnelProtocol }: ClusterConfig, own: OwnCluster): CodedError | undefined {
  if (tunnelProtocol === '' || tunnelProtocol === own.tunnelProtocol) return undefined;
  const message = `${cluster} has tunnel-protocol ${tunnelProtocol}, this cluster (${own.name}) has ${own.tunnelProtocol}`;
  return new CodedError(MESH_TUNNEL_MISMATCH, message, { object: cluster });
}

function checkJoined(cluster: string, id: number, joinedId: number | undefined): CodedError | undefined {
  if (joinedId === undefined || joinedId === id) return undefined;
  return new CodedError(MESH_ID_CHANGED, `${cluster} has the id ${id} now; it joined with ${joinedId}`, { object: cluster });
}

function checkTaken(cluster: string, id: number, ids: ClusterIds): CodedError | undefined {
  const owner = ids.owner(id);
  if (owner === undefined || owner === cluster) return undefined;
  return new CodedError(MESH_ID_TAKEN, `${cluster} has the id ${id} of ${owner}`, { object: cluster });
}
