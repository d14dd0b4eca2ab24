import type { Check } from './check.ts';
import { podPingAcrossNodesCheck, podPingSameNodeCheck } from './pod-ping.check.ts';
import { processesCheck } from './processes.check.ts';
import { underlayCheck } from './underlay.check.ts';

/** What the lab proves, in the order of its final table. */
export const CHECKS: readonly Check[] = [processesCheck, underlayCheck, podPingSameNodeCheck, podPingAcrossNodesCheck];
