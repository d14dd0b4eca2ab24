import type { EndpointRow } from '@isthmus/model';
import { canonicalIp } from '@isthmus/net';
import type { PodAddresses } from '../endpoint/endpoint-ports.ts';
import type { PodNetworkState } from '../endpoint/pod-network.ts';
import type { PreviousResult } from './cni-result.ts';

/**
 * What of an endpoint's network is not as the result of its ADD says (CNI specification §2, "CHECK"); empty when all is well. Later plugins of
 * the chain may have changed what the result no longer names, and added what it names besides.
 */
export function endpointFaults(row: EndpointRow, state: PodNetworkState, gateway: PodAddresses, previous: PreviousResult): string[] {
  return [
    ...deviceFaults(row, state),
    ...(state.pod ? [...macFaults(row, state.pod.mac, previous), ...addressFaults(row, state, previous)] : []),
    ...(state.pod ? routeFaults(row, state, gateway, previous) : []),
  ];
}

function deviceFaults({ interfaceName, ifindex, podInterface, netns }: EndpointRow, { host, pod }: PodNetworkState): string[] {
  if (host?.index !== ifindex) return [`device ${interfaceName} is gone`];
  if (!pod) return [`device ${podInterface} is gone from ${netns}`];
  if (pod.peerIndex !== ifindex) return [`device ${podInterface} in ${netns} is not the other end of ${interfaceName}`];
  const down = [...(host.up ? [] : [interfaceName]), ...(pod.up ? [] : [podInterface])];
  return down.map((name) => `device ${name} is down`);
}

/** Packets are delivered to the address that the endpoint was made with. */
function macFaults({ mac, podInterface }: EndpointRow, actual: string, { interfaces }: PreviousResult): string[] {
  const listed = interfaces.filter((each) => each.name === podInterface && each.sandbox).flatMap((each) => each.mac?.toLowerCase() ?? []);
  const wrong = [mac, ...listed].find((each) => each !== actual);
  return wrong === undefined ? [] : [`device ${podInterface} has address ${actual}, not ${wrong}`];
}

function addressFaults({ podInterface }: EndpointRow, { addresses }: PodNetworkState, { interfaces, ips }: PreviousResult): string[] {
  const isOurs = (index: number | undefined): boolean => index === undefined || interfaces[index]?.name === podInterface;
  const missing = ips.filter((ip) => isOurs(ip.interface) && !addresses.some((each) => sameAddress(each, ip.address)));
  return missing.map(({ address }) => `device ${podInterface} does not have address ${address}`);
}

function sameAddress(a: string, b: string): boolean {
  return canonical(a) === canonical(b);
}

function canonical(address: string): string {
  const [ip = '', length] = address.split('/');
  return `${canonicalIp(ip) ?? ip}/${length}`;
}

function routeFaults(row: EndpointRow, { routes }: PodNetworkState, gateway: PodAddresses, previous: PreviousResult): string[] {
  const made = [...(row.ipv4 === '' ? [] : [gateway.ipv4]), ...(row.ipv6 === '' ? [] : [gateway.ipv6])];
  const ours = previous.routes.filter(({ gw }) => gw !== undefined && made.includes(gw));
  const missing = ours.filter(({ dst, gw }) => !routes.some(({ destination, via }) => destination === dst && via === gw));
  return missing.map(({ dst, gw }) => `${row.podInterface} does not have the route to ${dst} by ${gw}`);
}
