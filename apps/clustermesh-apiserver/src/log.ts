import type { Logger } from '@isthmus/core';

/** What the apiserver's classes log with. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
