import type { ServicePortRow } from './rows.ts';

/** What a port speaks. */
export type Protocol = ServicePortRow['protocol'];

/** A protocol, an address and a port. */
export interface L4Address {
  readonly protocol: Protocol;
  /** Canonical text. */
  readonly ip: string;
  readonly port: number;
}

/** Key of frontends and backends: `TCP/10.1.0.5:80`, `UDP/[fd00::5]:53`. */
export function l4Key(protocol: Protocol, ip: string, port: number): string {
  return `${protocol}/${isIpv6(ip) ? `[${ip}]` : ip}:${port}`;
}

/** The inverse of {@link l4Key}, for its results only. */
export function parseL4Key(key: string): L4Address {
  const slash = key.indexOf('/');
  const colon = key.lastIndexOf(':');
  const bracket = key[slash + 1] === '[' ? 1 : 0;
  return {
    protocol: key.slice(0, slash) as Protocol,
    ip: key.slice(slash + 1 + bracket, colon - bracket),
    port: Number(key.slice(colon + 1)),
  };
}

/** True for IPv6 text; the text is an address already. */
export function isIpv6(ip: string): boolean {
  return ip.includes(':');
}
