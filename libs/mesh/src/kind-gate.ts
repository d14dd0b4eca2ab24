import type { ClusterConfig } from './cluster-config.codec.ts';
import { recordLayout } from './keys.ts';
import type { RecordKind } from './record-kind.ts';

/** True when a cluster with this configuration publishes records of the kind, be it none. */
export function publishesKind(config: ClusterConfig, kind: RecordKind): boolean {
  return kind !== 'serviceexports' || config.serviceExportsEnabled !== undefined;
}

/**
 * Key of the canary that must be there before the kind is listed; undefined when nothing is to be waited for. Nobody but us marks WireGuard's kinds:
 * a cluster that does not announce them is read without. Its records, if a later version has left any, are still those by which its nodes encrypt.
 */
export function canaryKeyOf(config: ClusterConfig, cluster: string, kind: RecordKind): string | undefined {
  return config.syncedCanaries && publishesKind(config, kind) && marksKind(config, kind)
    ? recordLayout(kind, cluster, config.cached).canary
    : undefined;
}

function marksKind(config: ClusterConfig, kind: RecordKind): boolean {
  return config.wireguard || (kind !== 'wireguard' && kind !== 'wireguardtargets');
}

/** True when records are read in the same places and on the same conditions under both configurations. */
export function sameReading(a: ClusterConfig, b: ClusterConfig): boolean {
  const exportsKnown = publishesKind(a, 'serviceexports') === publishesKind(b, 'serviceexports');
  return a.cached === b.cached && a.syncedCanaries === b.syncedCanaries && a.wireguard === b.wireguard && exportsKnown;
}
