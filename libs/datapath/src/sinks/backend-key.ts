import { l4Key, type Protocol } from '@isthmus/model';

/** IP protocol numbers of what services speak. */
export const PROTOCOL_NUMBER = { TCP: 6, UDP: 17, SCTP: 132 } as const;
const PROTOCOL_NAME: Readonly<Record<number, Protocol>> = { 6: 'TCP', 17: 'UDP', 132: 'SCTP' };

/** Key of a frontend or backend (see `l4Key`) from what a map row holds. */
export function l4KeyOf(ip: string, port: number, protocol: number): string {
  return l4Key(PROTOCOL_NAME[protocol] ?? 'TCP', ip, port);
}
