import type { WireGuardRow, WireGuardTargetRow } from '@isthmus/model';
import type { Decoded, RecordContext } from './decode-result.ts';
import { decodeIdentity, encodeIdentity, type IdentityRecord } from './identity.codec.ts';
import { decodeIp, encodeIp, type IpRecord } from './ip.codec.ts';
import { decodeNode, encodeNode, type NodeRecord } from './node.codec.ts';
import type { RecordKind } from './record-kind.ts';
import { decodeService, encodeService, type ServiceRecord } from './service.codec.ts';
import { decodeServiceExport, encodeServiceExport, type ServiceExportRecord } from './service-export.codec.ts';
import { decodeWireGuard, encodeWireGuard } from './wireguard.codec.ts';
import { decodeWireGuardTarget, encodeWireGuardTarget } from './wireguard-target.codec.ts';

/** Row type of each kind. */
export interface RecordRows {
  nodes: NodeRecord;
  identities: IdentityRecord;
  ips: IpRecord;
  services: ServiceRecord;
  serviceexports: ServiceExportRecord;
  wireguard: WireGuardRow;
  wireguardtargets: WireGuardTargetRow;
}

const DECODERS: { [K in RecordKind]: (bytes: Uint8Array, context: RecordContext) => Decoded<RecordRows[K]> } = {
  nodes: decodeNode,
  identities: decodeIdentity,
  ips: decodeIp,
  services: decodeService,
  serviceexports: decodeServiceExport,
  wireguard: decodeWireGuard,
  wireguardtargets: decodeWireGuardTarget,
};

const ENCODERS: { [K in RecordKind]: (row: RecordRows[K]) => string } = {
  nodes: encodeNode,
  identities: encodeIdentity,
  ips: encodeIp,
  services: encodeService,
  serviceexports: encodeServiceExport,
  wireguard: encodeWireGuard,
  wireguardtargets: encodeWireGuardTarget,
};

/** Reads a record of any kind. */
export function decodeRecord<K extends RecordKind>(kind: K, bytes: Uint8Array, context: RecordContext): Decoded<RecordRows[K]> {
  return DECODERS[kind](bytes, context);
}

/** Writes a record of any kind. */
export function encodeRecord<K extends RecordKind>(kind: K, row: RecordRows[K]): string {
  return ENCODERS[kind](row);
}
