import { defineError } from '@isthmus/core';

/** Somebody asked for a benchmark that is not there. */
export const BENCH_UNKNOWN = defineError(
  'BENCH_UNKNOWN',
  'There is no benchmark of that name.',
  'Name one of those that the message lists, or all.',
);
