import { StatusServer } from '@isthmus/core';
import type { Operator } from '../operator.ts';
import type { OperatorMetrics } from './operator-metrics.ts';

/** Health and metrics of an operator. */
export function operatorStatus(operator: Operator, metrics: OperatorMetrics): StatusServer {
  return new StatusServer({
    notReady: () => operator.notReady(),
    metrics: async () => {
      operator.measure();
      return { contentType: metrics.registry.contentType, body: await metrics.registry.metrics() };
    },
  });
}
