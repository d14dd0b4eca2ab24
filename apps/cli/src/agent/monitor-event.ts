import { shortLabels } from './identity-labels.ts';

/** An event of the datapath as the agent tells it. */
export interface MonitorEvent {
  readonly type: string;
  readonly reason: string;
  readonly direction: string;
  readonly endpoint: number;
  readonly sourceIdentity: number;
  readonly destinationIdentity: number;
  readonly source: string;
  readonly destination: string;
  readonly protocol: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly bytes: number;
}

/** Labels of both ends, `source:key=value;` text; empty where they are not known. */
export interface EventLabels {
  readonly source: string;
  readonly destination: string;
}

/** True for an event of the datapath; what is not one is the agent's word about lost events, or of a later version. */
export function isMonitorEvent(value: unknown): value is MonitorEvent {
  return typeof value === 'object' && value !== null && 'sourceIdentity' in value && 'destinationIdentity' in value;
}

/** How many events the agent could not send, when it says so. */
export function lostEvents(value: unknown): number | undefined {
  const { type, count } = (value ?? {}) as { type?: unknown; count?: unknown };
  return type === 'lost' && typeof count === 'number' ? count : undefined;
}

/** An event in one line, without its time. */
export function eventText(event: MonitorEvent, labels: EventLabels): string {
  const what = [event.type, event.reason, event.direction].filter((part) => part !== '').join(' ');
  const from = endText(event.source, event.sourcePort, event.sourceIdentity, labels.source);
  const to = endText(event.destination, event.destinationPort, event.destinationIdentity, labels.destination);
  const at = event.endpoint === 0 ? '' : `, endpoint ${event.endpoint}`;
  return `${what}: ${event.protocol || '?'} ${from} -> ${to} (${event.bytes} bytes${at})`;
}

function endText(address: string, port: number, identity: number, labels: string): string {
  const host = address === '' ? '?' : address.includes(':') && port !== 0 ? `[${address}]` : address;
  const names = labels === '' ? 'unknown' : shortLabels(labels);
  return `${host}${port === 0 ? '' : `:${port}`} [${identity} ${names}]`;
}
