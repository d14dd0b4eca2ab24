import {
  type IdentityRecord,
  type IpRecord,
  type NodeRecord,
  type RecordKind,
  type ServiceRecord,
  WIREGUARD_EPOCHS_ANNOTATION,
} from '@isthmus/mesh';
import type { BackendSetRow, IdentityRow, IpRow, NodeRow } from '@isthmus/model';

/** Whose records they are. */
export interface RecordOwner {
  readonly cluster: string;
  readonly clusterId: number;
}

/**
 * Key of a record's row. Identities are unique in the mesh, so that they can be found by number alone; a cluster has one target.
 * @param name the record's own
 */
export function recordRowKey(kind: RecordKind, cluster: string, name: string): string {
  if (kind === 'identities') return name;
  // Joined, not a template: that would keep its parts too.
  return kind === 'wireguardtargets' ? cluster : [cluster, name].join('/');
}

/** The address type that other nodes send to. */
const INTERNAL_IP = 'InternalIP';
/** Address types that are the node itself. */
const HOST_TYPES = new Set([INTERNAL_IP, 'ExternalIP', 'CiliumInternalIP']);

/** A node as the datapath needs it. */
export function nodeRow(record: NodeRecord): NodeRow {
  const addresses = record.addresses ?? [];
  const cidrs = [record.ipv4Cidr, ...(record.ipv4SecondaryCidrs ?? []), record.ipv6Cidr, ...(record.ipv6SecondaryCidrs ?? [])];
  return {
    cluster: record.cluster,
    clusterId: record.clusterId,
    name: record.name,
    internalIps: addresses.filter(({ type }) => type === INTERNAL_IP).map(({ ip }) => ip),
    hostIps: addresses.filter(({ type }) => HOST_TYPES.has(type)).map(({ ip }) => ip),
    podCidrs: cidrs.filter((cidr) => cidr !== ''),
    encryptionKey: record.encryptionKey,
    wireguardPublicKey: record.wireguardPubKey,
    ...(record.annotations?.get(WIREGUARD_EPOCHS_ANNOTATION) === 'true' && { hasEpochs: true }),
  };
}

export function ipRow(owner: RecordOwner, record: IpRecord): IpRow {
  return {
    cluster: owner.cluster,
    clusterId: owner.clusterId,
    ip: record.ip,
    hostIp: record.hostIp,
    identity: record.identity,
    namespace: record.namespace,
    pod: record.podName,
  };
}

export function identityRow(owner: RecordOwner, record: IdentityRecord): IdentityRow {
  return { id: record.id, cluster: owner.cluster, labels: record.labels.map((label) => `${label};`).join('') };
}

/** The backends that a cluster shares for a service. */
export function backendSetRow(record: ServiceRecord): BackendSetRow {
  return {
    cluster: record.cluster,
    clusterId: record.clusterId,
    namespace: record.namespace,
    name: record.name,
    backends: record.backends.map(({ ip, ports }) => ({
      ip,
      ports: ports.flatMap(({ name, protocol, port }) =>
        protocol === 'TCP' || protocol === 'UDP' || protocol === 'SCTP' ? [{ name, protocol, port }] : [],
      ),
    })),
  };
}
