import type { EndpointRow } from '@isthmus/model';
import type { PodAddresses } from '../endpoint/endpoint-ports.ts';
import type { CniRequest } from './cni-request.ts';

/** The answer to ADD, in the version that was asked for (CNI specification §5, "Success"). */
export function addResult(version: CniRequest['config']['cniVersion'], row: EndpointRow, gateway: PodAddresses): object {
  const old = version.startsWith('0.');
  const families = [
    { version: '4', address: row.ipv4, length: 32, gateway: gateway.ipv4, any: '0.0.0.0/0' },
    { version: '6', address: row.ipv6, length: 128, gateway: gateway.ipv6, any: '::/0' },
  ].filter((family) => family.address !== '');
  return {
    cniVersion: version,
    interfaces: [
      { name: row.interfaceName, mac: row.hostMac },
      { name: row.podInterface, mac: row.mac, sandbox: row.netns, ...(version === '1.1.0' ? { mtu: row.mtu } : {}) },
    ],
    ips: families.map((family) => ({
      ...(old ? { version: family.version } : {}),
      interface: 1,
      address: `${family.address}/${family.length}`,
      gateway: family.gateway,
    })),
    routes: families.map((family) => ({ dst: family.any, gw: family.gateway, ...(version === '1.1.0' ? { mtu: row.mtu } : {}) })),
    dns: {},
  };
}

/** The parts of a previous result that CHECK looks at; anything may stand in them. */
interface PreviousResult {
  readonly interfaces?: unknown;
  readonly ips?: unknown;
}

/** Addresses that a previous result names for the pod's interface; those that other plugins of the chain gave to others are left out. */
export function addressesOf({ interfaces, ips }: PreviousResult, podInterface: string): string[] {
  const devices: unknown[] = Array.isArray(interfaces) ? interfaces : [];
  const isOurs = (index: unknown): boolean => {
    const device = (typeof index === 'number' ? devices[index] : undefined) as { name?: unknown } | null | undefined;
    return !device || device.name === podInterface;
  };
  return (Array.isArray(ips) ? ips : []).flatMap((ip: { address?: unknown; interface?: unknown } | null) =>
    typeof ip?.address === 'string' && isOurs(ip.interface) ? [ip.address.split('/')[0] as string] : [],
  );
}
