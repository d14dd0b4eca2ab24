import { defineError } from '@isthmus/core';

/** Somebody asked for a benchmark that is not there. */
export const BENCH_UNKNOWN = defineError(
  'BENCH_UNKNOWN',
  'There is no benchmark of that name.',
  'Name one of those that the message lists, or all.',
);
/** The two sides of a comparison do not have the same conditions. */
export const BENCH_UNFAIR = defineError(
  'BENCH_UNFAIR',
  'The two sides of a benchmark have devices of different size or with different offloads.',
  'Nothing was measured. If an agent changed its devices, change those of the peer in the same way.',
);
/** Traffic between two places did not pass. */
export const BENCH_TRAFFIC = defineError(
  'BENCH_TRAFFIC',
  'The traffic of a benchmark did not get through.',
  'Nothing is written for this benchmark. Find out first why packets are lost: a lab of the same shape shows it.',
);
/** The CNI plugin did not do what it was asked for. */
export const BENCH_CNI = defineError(
  'BENCH_CNI',
  'The CNI plugin failed in a benchmark.',
  "Nothing is written for this benchmark. The plugin's own error and the agent's log say why.",
);
/** Something that was written did not get to where it is waited for. */
export const BENCH_NOT_ARRIVED = defineError(
  'BENCH_NOT_ARRIVED',
  'What a benchmark wrote did not arrive where it should.',
  'Nothing is written for this benchmark. The status and the log of the agent say what it waits for.',
);
/** A program that a benchmark started did not do its part. */
export const BENCH_CHILD = defineError(
  'BENCH_CHILD',
  'A program that a benchmark needs ended or does not answer.',
  'Nothing is written for this benchmark. What the program said is in the message.',
);
/** Nothing can be said of a machine that stands still all the time. */
export const BENCH_STALLS = defineError(
  'BENCH_STALLS',
  'The machine stood still in every minute.',
  'Nothing is written for this benchmark. Run it where the virtual machine has its processors to itself.',
);
/** A BGP speaker, or who measures it, did not do what a benchmark needs. */
export const BENCH_BGP = defineError(
  'BENCH_BGP',
  'A BGP speaker did not do what a benchmark needs.',
  'Nothing is written for this benchmark. The message has the end of its log.',
);
