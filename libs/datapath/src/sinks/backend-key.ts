/** IP protocol numbers of what services speak. */
export const PROTOCOL_NUMBER = { TCP: 6, UDP: 17, SCTP: 132 } as const;
const PROTOCOL_NAME: Readonly<Record<number, string>> = { 6: 'TCP', 17: 'UDP', 132: 'SCTP' };

/** An address, a port and a protocol. */
export interface L4Address {
  readonly ip: string;
  readonly port: number;
  readonly protocol: keyof typeof PROTOCOL_NUMBER;
}

/** The text that backends and frontends are keyed by: `TCP/10.1.0.5:80`, `UDP/[fd00::5]:53`. */
export function l4Key({ protocol, ip, port }: L4Address): string {
  return `${protocol}/${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
}

/** The same from what a map row holds. */
export function l4KeyOf(ip: string, port: number, protocol: number): string {
  return l4Key({ ip, port, protocol: (PROTOCOL_NAME[protocol] ?? 'TCP') as L4Address['protocol'] });
}

/** The inverse of {@link l4Key}. @throws RangeError for any other text */
export function parseL4Key(key: string): L4Address {
  const match = /^(TCP|UDP|SCTP)\/(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(key);
  if (!match) throw new RangeError(`${key} is not <protocol>/<address>:<port>`);
  return { protocol: match[1] as L4Address['protocol'], ip: (match[2] ?? match[3]) as string, port: Number(match[4]) };
}
