import type { ClusterConfig } from './cluster-config.codec.ts';
import { recordLayout } from './keys.ts';
import type { RecordKind } from './record-kind.ts';

/** True when a cluster with this configuration publishes records of the kind, be it none. */
export function publishesKind(config: ClusterConfig, kind: RecordKind): boolean {
  return kind !== 'serviceexports' || config.serviceExportsEnabled !== undefined;
}

/** Key of the canary that must be there before the kind is listed; undefined when nothing is to be waited for. */
export function canaryKeyOf(config: ClusterConfig, cluster: string, kind: RecordKind): string | undefined {
  return config.syncedCanaries && publishesKind(config, kind) ? recordLayout(kind, cluster, config.cached).canary : undefined;
}

/** True when records are read in the same places and on the same conditions under both configurations. */
export function sameReading(a: ClusterConfig, b: ClusterConfig): boolean {
  const exportsKnown = publishesKind(a, 'serviceexports') === publishesKind(b, 'serviceexports');
  return a.cached === b.cached && a.syncedCanaries === b.syncedCanaries && exportsKnown;
}
