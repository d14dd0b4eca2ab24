import { type Logger, pino } from 'pino';
import { CodedError, messageOf } from '../coded-error.ts';

export type { Logger } from 'pino';

/** What classes log with. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** Names of log fields, the same in every process. */
export const LOG = Object.freeze({
  address: 'address',
  candidate: 'candidate',
  cidrs: 'cidrs',
  cluster: 'cluster',
  count: 'count',
  durationMs: 'durationMs',
  endpoint: 'endpoint',
  error: 'err',
  holder: 'holder',
  identity: 'identity',
  ips: 'ips',
  key: 'key',
  kind: 'kind',
  labels: 'labels',
  node: 'node',
  peer: 'peer',
  pod: 'pod',
  reason: 'reason',
  revision: 'revision',
  service: 'service',
  signal: 'signal',
  sink: 'sink',
  table: 'table',
  version: 'version',
});

/** One JSON object per line on standard output. Give what was thrown as {@link LOG}.error: it is logged as {@link errorFields}. */
export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    base: { name, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { [LOG.error]: errorFields },
  });
}

/**
 * What a log line says of anything that was thrown: of a coded error what APIs show, of all others message and stack. Never further fields of
 * it: they may hold secrets.
 */
export function errorFields(thrown: unknown): object {
  if (thrown instanceof CodedError) return thrown.toJSON();
  if (thrown instanceof Error) return { message: thrown.message, stack: thrown.stack };
  return { message: messageOf(thrown) };
}
