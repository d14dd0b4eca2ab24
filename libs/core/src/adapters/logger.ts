import { type Logger, pino, stdSerializers } from 'pino';
import { CodedError } from '../coded-error.ts';

export type { Logger } from 'pino';

/** Names of log fields, the same in every process. */
export const LOG = Object.freeze({
  cluster: 'cluster',
  node: 'node',
  pod: 'pod',
  endpoint: 'endpoint',
  identity: 'identity',
  key: 'key',
  table: 'table',
  revision: 'revision',
  reason: 'reason',
  error: 'err',
  durationMs: 'durationMs',
});

/** One JSON object per line on standard output. Coded errors are logged as APIs show them; secrets are no part of any error. */
export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    base: { name, pid: process.pid },
    serializers: { err: (error: unknown) => (error instanceof CodedError ? error.toJSON() : stdSerializers.err(error as Error)) },
  });
}
