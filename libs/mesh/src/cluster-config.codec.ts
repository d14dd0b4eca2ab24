import { type Decoded, reject, rejecting } from './decode-result.ts';
import { type GoStruct, goJson } from './go-json.ts';
import { field, readBoolean, readJsonObject, readObject, readString, readUint } from './json-reader.ts';
import { isMeshSize, type MaxConnectedClusters } from './numeric-identity.ts';

/** What a cluster says of itself: `cilium/cluster-config/<cluster>`. */
export interface ClusterConfig {
  id: number;
  /** The cluster writes canaries: wait for them. */
  syncedCanaries: boolean;
  /** The etcd is a mirror: records lie under `cilium/cache`. */
  cached: boolean;
  maxConnectedClusters: MaxConnectedClusters;
  /** undefined: knows nothing of MCS. Otherwise the canary of service exports exists, and with true there may be some. */
  serviceExportsEnabled: boolean | undefined;
  /** `''` for services only. Read and otherwise ignored: we exchange services. */
  endpointSlicesExportMode: string;
  /** Ours: how its nodes encapsulate packets, as its own setting says it. `''`: it does not say, as no Cilium cluster does. */
  tunnelProtocol: string;
  /** Ours: it marks the kinds of WireGuard as complete, be there none of them. No Cilium cluster does. */
  wireguard: boolean;
}

const MAX_BYTES = 64 * 1024;

/** Reads a cluster configuration. Whether the id may be used is not decided here. */
export function decodeClusterConfig(bytes: Uint8Array): Decoded<ClusterConfig> {
  if (bytes.length > MAX_BYTES) return { ok: false, reason: 'too-large' };
  return rejecting(() => readConfig(bytes));
}

function readConfig(bytes: Uint8Array): ClusterConfig {
  const object = readJsonObject(bytes);
  const capabilities = readObject(object, 'capabilities') ?? {};
  const ours = readObject(object, 'isthmus') ?? {};
  const size = readUint(capabilities, 'maxConnectedClusters', 0xffffffff) || 255;
  return {
    id: readUint(object, 'id', 0xffffffff),
    syncedCanaries: readBoolean(capabilities, 'syncedCanaries'),
    cached: readBoolean(capabilities, 'cached'),
    maxConnectedClusters: isMeshSize(size) ? size : reject('unknown-value'),
    serviceExportsEnabled:
      field(capabilities, 'serviceExportsEnabled') === undefined ? undefined : readBoolean(capabilities, 'serviceExportsEnabled'),
    endpointSlicesExportMode: readString(capabilities, 'endpointSlicesExportMode'),
    tunnelProtocol: readString(ours, 'tunnelProtocol'),
    wireguard: readBoolean(ours, 'wireguard'),
  };
}

/** The configuration as Cilium writes it: what is false or empty is left out, `serviceExportsEnabled: false` is not. What is ours follows. */
export function encodeClusterConfig(config: ClusterConfig): string {
  return goJson({
    id: config.id || undefined,
    capabilities: {
      syncedCanaries: config.syncedCanaries || undefined,
      cached: config.cached || undefined,
      maxConnectedClusters: config.maxConnectedClusters,
      serviceExportsEnabled: config.serviceExportsEnabled,
      endpointSlicesExportMode: config.endpointSlicesExportMode || undefined,
    },
    isthmus: ours(config),
  });
}

function ours({ tunnelProtocol, wireguard }: ClusterConfig): GoStruct | undefined {
  if (tunnelProtocol === '' && !wireguard) return undefined;
  return { tunnelProtocol: tunnelProtocol || undefined, wireguard: wireguard || undefined };
}
