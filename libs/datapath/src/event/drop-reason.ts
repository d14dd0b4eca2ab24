import { DropReason, MetricReason } from '../generated/layouts.ts';

/** Words of Cilium's metrics and of Hubble for the same numbers: dashboards and alerts ask for them. */
const CILIUM_TEXTS: Readonly<Record<DropReason, string>> = {
  [DropReason.invalidSource]: 'Invalid source ip',
  [DropReason.policyDenied]: 'Policy denied',
  [DropReason.invalidPacket]: 'Invalid packet',
  [DropReason.fragNeeded]: 'Fragmentation needed',
  [DropReason.unknownL3]: 'Unsupported L3 protocol',
  [DropReason.writeError]: 'Error writing to packet',
  [DropReason.noTunnelKey]: 'Error retrieving tunnel key',
  [DropReason.invalidGeneve]: 'Invalid Geneve option',
  [DropReason.unroutable]: 'Stale or unroutable IP',
  [DropReason.fragmentUnsupported]: 'IP fragmentation not supported',
  [DropReason.noBackend]: 'Service backend not found',
  [DropReason.noTunnelEndpoint]: 'No tunnel/encapsulation endpoint (datapath BUG!)',
  [DropReason.noFib]: 'FIB lookup failed',
  [DropReason.encapProhibited]: 'Encapsulation traffic is prohibited',
  [DropReason.invalidIdentity]: 'Invalid identity',
  [DropReason.unencryptedTraffic]: 'Traffic is unencrypted',
  [DropReason.ttlExceeded]: 'TTL exceeded',
  [DropReason.endpointNotReady]: 'Endpoint policy program not available',
  [DropReason.noDevice]: 'No device',
};

/** Name of a drop reason, such as `EndpointNotReady`; its number where it has none. */
export function dropReasonName(code: number): string {
  const name = Object.entries(DropReason).find(([, value]) => value === code)?.[0];
  return name === undefined ? `reason ${code}` : (name[0] as string).toUpperCase() + name.slice(1);
}

/** What a counter of the datapath counts: `Forwarded`, `EventLost`, or the name of a drop reason. */
export function metricReasonName(code: number): string {
  if (code === MetricReason.forwarded) return 'Forwarded';
  return code === MetricReason.eventLost ? 'EventLost' : dropReasonName(code);
}

/** Cilium's words for a drop reason, the value of the label `reason` of its metrics; its number where it has none. */
export function dropReasonText(code: number): string {
  return CILIUM_TEXTS[code as DropReason] ?? String(code);
}

/** Every drop reason that there is, by number. */
export function dropReasons(): { readonly name: string; readonly text: string }[] {
  return Object.values(DropReason).map((code) => ({ name: dropReasonName(code), text: dropReasonText(code) }));
}
