import { CodedError, defineError } from '@isthmus/core';
import { getLink, type Link, listAddresses, listRoutes, NetlinkSocket } from '@isthmus/datapath';
import type { Config } from '@isthmus/model';

export const NODE_DEVICE_UNKNOWN = defineError(
  'NODE_DEVICE_UNKNOWN',
  'The physical device or the address of this node was not found.',
  'Set `devices` and `node-ipv4` or `node-ipv6`.',
);

/** How this node is attached to the network between nodes. */
export interface NodeUnderlay {
  readonly devices: readonly Link[];
  readonly ipv4: string;
  readonly ipv6: string;
  readonly mtu: number;
}

/** Finds the node's devices and addresses; what the configuration says wins. @throws CodedError NODE_DEVICE_UNKNOWN */
export function findUnderlay(config: Config): NodeUnderlay {
  return NetlinkSocket.using('route', undefined, (socket) => {
    const names = config.devices.length > 0 ? config.devices : defaultDevices(socket);
    const devices = names.map((name) => {
      const link = getLink(socket, name);
      if (!link) throw new CodedError(NODE_DEVICE_UNKNOWN, `there is no device ${name}`, { object: name });
      return link;
    });
    const first = devices[0];
    if (!first) throw new CodedError(NODE_DEVICE_UNKNOWN, 'no device has a default route', { object: 'devices' });
    const addresses = listAddresses(socket, first.index).map(({ address }) => address.split('/')[0] as string);
    const ipv4 = config['node-ipv4'] || (addresses.find((ip) => !ip.includes(':')) ?? '');
    const ipv6 = config['node-ipv6'] || (addresses.find((ip) => ip.includes(':') && !ip.startsWith('fe80:')) ?? '');
    if (ipv4 === '' && ipv6 === '')
      throw new CodedError(NODE_DEVICE_UNKNOWN, `device ${first.name} has no address`, { object: first.name });
    return { devices, ipv4, ipv6, mtu: config.mtu || first.mtu };
  });
}

function defaultDevices(socket: NetlinkSocket): string[] {
  const indexes = new Set(
    listRoutes(socket)
      .filter((route) => route.destination === '0.0.0.0/0' || route.destination === '::/0')
      .flatMap((route) => route.device ?? []),
  );
  return [...indexes].flatMap((index) => getLink(socket, index)?.name ?? []);
}
