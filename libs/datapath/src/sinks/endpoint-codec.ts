import { LOCAL_SCOPE } from '@isthmus/core';
import type { LocalAddressRow } from '@isthmus/model';
import { parseMac } from '@isthmus/net';
import { EndpointFlag, encodeEndpointValue } from '../generated/layouts.ts';
import { addrKeyBytes, textOfAddrKeyBytes } from './address-text.ts';
import type { MapCodec } from './map-sink.ts';

const NO_MAC = new Uint8Array(6);

/** Local addresses as rows of `isth_endpoints`. */
export const endpointCodec: MapCodec<LocalAddressRow> = {
  key: addrKeyBytes,
  value: (_key, row) =>
    encodeEndpointValue({
      ifindex: row.ifindex,
      identity: row.identity,
      id: row.endpoint,
      flags: (row.ready ? EndpointFlag.ready : 0) | (row.host ? EndpointFlag.host : 0),
      policyId: 0,
      generation: 0,
      rate: 0,
      class: 0,
      mac: macBytes(row.mac),
      nodeMac: macBytes(row.hostMac),
    }),
  found: (key) => ({ key: textOfAddrKeyBytes(key), scope: LOCAL_SCOPE }),
};

function macBytes(text: string): Uint8Array {
  if (text === '') return NO_MAC;
  const mac = parseMac(text);
  if (!mac) throw new RangeError(`${text} is not an Ethernet address`);
  return mac.bytes;
}
