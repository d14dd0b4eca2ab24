import { prometheusText, StatusServer } from '@isthmus/core';
import type { Operator } from '../operator.ts';
import type { OperatorMetrics } from './operator-metrics.ts';

/** Health and metrics of an operator. */
export function operatorStatus(operator: Operator, metrics: OperatorMetrics): StatusServer {
  return new StatusServer({ notReady: () => operator.notReady(), metrics: () => prometheusText(metrics.set) });
}
