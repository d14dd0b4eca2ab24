import { CodedError } from '@isthmus/core';
import type { ConfigKey } from '@isthmus/model';
import { APISERVER_LISTEN } from './apiserver.errors.ts';

/** Where a server listens. */
export interface ListenAddress {
  host: string;
  port: number;
}

/** Reads `host:port`, `[host]:port` or `:port` (all addresses). @throws CodedError APISERVER_LISTEN naming the key */
export function parseListenAddress(key: ConfigKey, text: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  if (!match || Number(match[3]) > 65_535) throw cannotListen(key, text, 'it is no host:port');
  return { host: match[1] ?? (match[2] || '::'), port: Number(match[3]) };
}

/** The error of an address that cannot be listened on. */
export function cannotListen(key: ConfigKey, text: string, why: string, cause?: unknown): CodedError {
  return new CodedError(APISERVER_LISTEN, `${key} ${text}: ${why}`, { object: key, cause });
}
