import { WIREGUARD_PORTS, type WireGuardEpoch, type WireGuardRow } from '@isthmus/model';
import { type Decoded, decoding, reject } from './decode-result.ts';
import { compareBytes, goJson } from './go-json.ts';
import { intern } from './intern.ts';
import { asObject, field, type JsonObject, readArray, readJsonObject, readRequired, readString, readUint } from './json-reader.ts';
import { checkOwnCluster, type OwnRecordContext } from './own-record.ts';

const MAX_BYTES = 16 * 1024;
const MAX_UINT32 = 0xffff_ffff;
/** A node has two devices. */
const MAX_EPOCHS = 2;
/** Of laggards, and of peers without epochs. */
const MAX_NODES = 16;
/** Base64 of 32 bytes, a key or a hash: two bits of the last digit are spare, and zero. */
const BYTES_32 = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
/** WireGuard takes it for none. */
const NO_KEY = `${'A'.repeat(43)}=`;
/** A cluster's name. */
const CLUSTER = /^[a-z0-9](?:[-a-z0-9]{0,30}[a-z0-9])?$/;
/** `<cluster>/<node>` */
const NODE = /^[a-z0-9](?:[-a-z0-9]{0,30}[a-z0-9])?\/[^/]+$/;

/** Ours: reads what a node publishes of its WireGuard keys; it must be of the context's cluster and cluster id, and named as its key. */
export function decodeWireGuard(bytes: Uint8Array, context: OwnRecordContext): Decoded<WireGuardRow> {
  return decoding(bytes, context, MAX_BYTES, () => readWireGuard(readJsonObject(bytes), context));
}

function readWireGuard(object: JsonObject, context: OwnRecordContext): WireGuardRow {
  checkOwnCluster(object, context);
  if (readRequired(object, 'name') !== context.name) reject('key-mismatch');
  return {
    cluster: intern(context.cluster),
    clusterId: context.clusterId,
    name: context.name,
    epochs: readEpochs(object),
    minTx: readUint(object, 'minTx', MAX_UINT32),
    laggards: readNodes(object, 'laggards'),
    ...readBlockers(object),
    ...readWanted(object),
  };
}

function readEpochs(object: JsonObject): readonly WireGuardEpoch[] {
  const epochs = readArray(object, 'epochs', (element) => readEpoch(asObject(element))) ?? [];
  const [older, newer] = epochs;
  if (epochs.length > MAX_EPOCHS) return reject('bad-epoch');
  if (older === undefined || newer === undefined) return epochs;
  // Of one parity they would be on one device.
  if (older.epoch >= newer.epoch || (newer.epoch - older.epoch) % 2 === 0) reject('bad-epoch');
  return older.publicKey === newer.publicKey ? reject('bad-public-key') : epochs;
}

function readEpoch(object: JsonObject): WireGuardEpoch {
  const epoch = readUint(object, 'epoch', MAX_UINT32) || reject('bad-epoch');
  const publicKey = readRequired(object, 'publicKey');
  if (!BYTES_32.test(publicKey) || publicKey === NO_KEY) reject('bad-public-key');
  const port = readUint(object, 'port', 0xffff);
  if (port !== WIREGUARD_PORTS[epoch % 2 === 0 ? 'even' : 'odd']) reject('bad-port');
  const kemKeyHash = readString(object, 'kemKeyHash');
  if (kemKeyHash === '') return { epoch, publicKey, port };
  return BYTES_32.test(kemKeyHash) ? { epoch, publicKey, port, kemKeyHash } : reject('bad-public-key');
}

function readBlockers(object: JsonObject): Pick<WireGuardRow, 'blockedBy'> {
  const blockedBy = readNodes(object, 'blockedBy');
  return blockedBy.length === 0 ? {} : { blockedBy };
}

function readWanted(object: JsonObject): Pick<WireGuardRow, 'wanted'> {
  const value = field(object, 'wanted');
  if (value === undefined) return {};
  const wanted = asObject(value);
  const cluster = readRequired(wanted, 'cluster');
  const epoch = readUint(wanted, 'epoch', MAX_UINT32) || reject('bad-epoch');
  return CLUSTER.test(cluster) ? { wanted: { epoch, cluster: intern(cluster) } } : reject('bad-field');
}

function readNodes(object: JsonObject, name: string): readonly string[] {
  const nodes = readArray(object, name, readNode) ?? [];
  return nodes.length > MAX_NODES ? reject('bad-field') : [...nodes].sort(compareBytes);
}

function readNode(element: unknown): string {
  return typeof element === 'string' && NODE.test(element) ? element : reject('bad-field');
}

/** The record as we write it. */
export function encodeWireGuard(row: WireGuardRow): string {
  return goJson({
    cluster: row.cluster,
    name: row.name,
    clusterID: row.clusterId,
    epochs: row.epochs.map(({ epoch, publicKey, port, kemKeyHash }) => ({ epoch, publicKey, port, kemKeyHash })),
    minTx: row.minTx,
    laggards: row.laggards,
    ...(row.blockedBy && { blockedBy: row.blockedBy }),
    ...(row.wanted && { wanted: { epoch: row.wanted.epoch, cluster: row.wanted.cluster } }),
  });
}
