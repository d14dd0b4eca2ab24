import { Ip } from '@isthmus/net';
import { metricReasonName } from './event/drop-reason.ts';
import {
  AddrFamily,
  type AddrKey,
  Direction,
  decodeAddrKey,
  decodeBackendValue,
  decodeEncryptExemptKey,
  decodeEndpointValue,
  decodeIpcacheValue,
  decodeMeshRangeValue,
  decodeMetricKey,
  decodeMetricValue,
  decodePeerValue,
  decodeRevnatValue,
  decodeServiceKey,
  decodeServiceValue,
  decodeSockNatKey,
  decodeSockNatValue,
  EndpointFlag,
  metricValueLayout,
  PeerMode,
  PeerTx,
} from './generated/layouts.ts';
import { textOfAddrKey, textOfIpcacheKey, textOfPrefixKey } from './sinks/address-text.ts';
import { l4KeyOf, PROTOCOL_NUMBER } from './sinks/backend-key.ts';
import { decodeId } from './sinks/numbered-rows.ts';

type Describe = (key: Uint8Array, value: Uint8Array) => object;

const DESCRIBE: Readonly<Record<string, Describe>> = {
  endpoints: (key, value) => {
    const { ifindex, identity, id, flags, mac } = decodeEndpointValue(value);
    const state = flags & EndpointFlag.host ? 'host' : flags & EndpointFlag.ready ? 'ready' : 'not-ready';
    return { address: textOfAddrKey(decodeAddrKey(key)), endpoint: id, identity, state, ifindex, mac: hex(mac) };
  },
  ipcache: (key, value) => {
    const { identity, peer, cluster } = decodeIpcacheValue(value);
    return { prefix: textOfIpcacheKey(key), identity, cluster, peer };
  },
  peers: (key, value) => {
    const { family, mode, tx, addr, cluster } = decodePeerValue(value);
    const address = textOfAddrKey({ net: 0, family, addr });
    return { peer: decodeId(key), cluster, mode: nameIn(PeerMode, mode), address, tx: nameIn(PeerTx, tx) };
  },
  'mesh-ranges': (key, value) => {
    const { peer, cluster } = decodeMeshRangeValue(value);
    return { prefix: textOfPrefixKey(key), cluster, peer };
  },
  'encrypt-exempt': (key) => {
    const { protocol, port } = decodeEncryptExemptKey(key);
    return { protocol: nameIn(PROTOCOL_NUMBER, protocol), port };
  },
  services: (key, value) => {
    const { addr, port, protocol, slot } = decodeServiceKey(key);
    const { backend, count, revnat } = decodeServiceValue(value);
    return { frontend: l4KeyOf(textOfAddrKey(addr), port, protocol), slot, count, backend, revnat };
  },
  backends: (key, value) => {
    const { addr, port, protocol, cluster } = decodeBackendValue(value);
    return { backend: decodeId(key), address: l4KeyOf(textOfAddrKey(addr), port, protocol), cluster };
  },
  revnat: (key, value) => {
    const { addr, port, protocol } = decodeRevnatValue(value);
    return { revnat: decodeId(key), frontend: l4KeyOf(textOfAddrKey(addr), port, protocol) };
  },
  'sock-nat': (key, value) => {
    const from = decodeSockNatKey(key);
    const to = decodeSockNatValue(value);
    return {
      cookie: String(from.cookie),
      direction: from.direction === 0 ? 'reverse' : 'forward',
      from: l4KeyOf(addressText(from.addr), from.port, from.protocol),
      to: l4KeyOf(addressText(to.addr), to.port, from.protocol),
    };
  },
  metrics: (key, value) => {
    const { reason, direction } = decodeMetricKey(key);
    const names = Object.entries(Direction).find(([, number]) => number === direction);
    return {
      reason: metricReasonName(reason),
      direction: names?.[0] ?? String(direction),
      ...sumOverCpus(value),
    };
  },
};

/** Maps that can be shown, by the names that people type. */
export const MAP_NAMES: readonly string[] = Object.keys(DESCRIBE);

/** The pinned map's name. */
export function pinnedMapName(name: string): string {
  return `isth_${name.replace('-', '_')}`;
}

/** One row of a map in words. @throws RangeError for a map that has no such form */
export function describeMapRow(map: string, key: Uint8Array, value: Uint8Array): object {
  const describe = DESCRIBE[map];
  if (!describe) throw new RangeError(`there is no map ${map}`);
  return describe(key, value);
}

/** Packets and bytes of a per-CPU counter, over all CPUs. */
export function sumOverCpus(value: Uint8Array): { packets: number; bytes: number } {
  let [packets, bytes] = [0, 0];
  for (let at = 0; at + metricValueLayout.size <= value.length; at += metricValueLayout.size) {
    const one = decodeMetricValue(value.subarray(at, at + metricValueLayout.size));
    packets += Number(one.packets);
    bytes += Number(one.bytes);
  }
  return { packets, bytes };
}

/** Keys of sockets may hold an address of neither family when the kernel has not filled them. */
function addressText(key: AddrKey): string {
  if (key.family === AddrFamily.ipv4 || key.family === AddrFamily.ipv6) return textOfAddrKey(key);
  return new Ip(6, key.addr).toString();
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** What a number is called; the number itself where no name is known. */
function nameIn(names: Readonly<Record<string, number>>, code: number): string {
  return Object.entries(names).find(([, number]) => number === code)?.[0] ?? String(code);
}
