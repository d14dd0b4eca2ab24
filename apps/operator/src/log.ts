import { CodedError, messageOf } from '@isthmus/core';
import { type Logger, pino } from 'pino';

/** Structured log: one JSON object a line. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** Keys of log fields. Every field that the operator logs is named here. */
export const LOG = {
  error: 'error',
  code: 'code',
  object: 'object',
  action: 'action',
  key: 'key',
  sink: 'sink',
  kind: 'kind',
  table: 'table',
  holder: 'holder',
  candidate: 'candidate',
  node: 'node',
  cidrs: 'cidrs',
  service: 'service',
  ips: 'ips',
  identity: 'identity',
  labels: 'labels',
  count: 'count',
  alive: 'alive',
  endpoint: 'endpoint',
  address: 'address',
  signal: 'signal',
  version: 'version',
  cluster: 'cluster',
} as const;

/** A log that writes to standard output. */
export function createLog(level: string): Log {
  return pino({ level, base: { process: 'operator' }, timestamp: pino.stdTimeFunctions.isoTime });
}

/** Fields of anything that was thrown. The cause is not among them: it may hold secrets. */
export function errorFields(thrown: unknown): Record<string, string | undefined> {
  if (!(thrown instanceof CodedError)) return { [LOG.error]: messageOf(thrown) };
  return { [LOG.error]: thrown.message, [LOG.code]: thrown.code, [LOG.object]: thrown.object, [LOG.action]: thrown.action };
}
