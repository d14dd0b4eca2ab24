import { type IdPool, LOCAL_SCOPE } from '@isthmus/core';
import { parseL4Key } from '@isthmus/model';
import { decodeBackendValue, decodeRevnatValue, encodeBackendValue, encodeRevnatValue } from '../generated/layouts.ts';
import { addrKeyOfText, textOfAddrKey } from './address-text.ts';
import { l4KeyOf, PROTOCOL_NUMBER } from './backend-key.ts';
import { clusterScope } from './cluster-scope.ts';
import type { MapCodec } from './map-sink.ts';
import { encodeId } from './numbered-rows.ts';

/** Key of the backend that a row of `isth_backends` stands for. */
export function backendKeyOf(value: Uint8Array): string {
  const { addr, port, protocol } = decodeBackendValue(value);
  return l4KeyOf(textOfAddrKey(addr), port, protocol);
}

/** Backends, by `<protocol>/<ip>:<port>`, as rows of `isth_backends`, numbered by `pool`. */
export function backendCodec(pool: IdPool, ownClusterId: number): MapCodec<{ readonly clusterId: number }> {
  return {
    key: (key) => encodeId(pool.idOf(key)),
    value: (key, row) => {
      const { ip, port, protocol } = parseL4Key(key);
      return encodeBackendValue({ addr: addrKeyOfText(ip), port, protocol: PROTOCOL_NUMBER[protocol], flags: 0, cluster: row.clusterId });
    },
    found: (_key, value) => ({ key: backendKeyOf(value), scope: clusterScope(decodeBackendValue(value).cluster, ownClusterId) }),
    absent: (key) => !pool.has(key),
    deleted: (key) => pool.release(key),
  };
}

/** Key of the frontend that a row of `isth_revnat` stands for. */
export function frontendKeyOf(value: Uint8Array): string {
  const { addr, port, protocol } = decodeRevnatValue(value);
  return l4KeyOf(textOfAddrKey(addr), port, protocol);
}

/** Frontends, by `<protocol>/<ip>:<port>`, as rows of `isth_revnat`, numbered by `pool`. */
export function revnatCodec(pool: IdPool): MapCodec<unknown> {
  return {
    key: (key) => encodeId(pool.idOf(key)),
    value: (key) => {
      const { ip, port, protocol } = parseL4Key(key);
      return encodeRevnatValue({ addr: addrKeyOfText(ip), port, protocol: PROTOCOL_NUMBER[protocol] });
    },
    found: (_key, value) => ({ key: frontendKeyOf(value), scope: LOCAL_SCOPE }),
    absent: (key) => !pool.has(key),
    deleted: (key) => pool.release(key),
  };
}
