import type { Log } from '@isthmus/core';
import type { LoggerService } from '@nestjs/common';

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
