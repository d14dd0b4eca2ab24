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

/** Addresses that a previous result names for an interface inside the sandbox. */
export function addressesOf(prevResult: Record<string, unknown>): string[] {
  const ips = Array.isArray(prevResult['ips']) ? prevResult['ips'] : [];
  return ips.flatMap((ip: { address?: unknown }) => (typeof ip?.address === 'string' ? [ip.address.split('/')[0] as string] : []));
}
