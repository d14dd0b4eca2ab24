import type { LoggerService } from '@nestjs/common';
import type { Log } from './log.ts';

/** Nest's own lines in the same log: its chatter at level debug. */
export function nestLog(log: Log): LoggerService {
  const line =
    (level: 'debug' | 'warn' | 'error') =>
    (message: unknown): void =>
      log[level]({}, String(message));
  return {
    log: line('debug'),
    debug: line('debug'),
    verbose: line('debug'),
    warn: line('warn'),
    error: line('error'),
    fatal: line('error'),
  };
}
