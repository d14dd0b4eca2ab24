import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Log, StatusServer, systemClock, systemRandom } from '@isthmus/core';
import { type EtcdConfig, EtcdKvStore, type KvStore } from '@isthmus/kvstore';
import type { Config } from '@isthmus/model';
import { type DynamicModule, Module } from '@nestjs/common';
import { logConnection } from './log-connection.ts';
import { Operator } from './operator.ts';
import { OperatorProcess } from './operator-process.ts';
import { operatorSettings } from './settings.ts';
import { OperatorMetrics } from './status/operator-metrics.ts';
import { operatorStatus } from './status/operator-status.ts';

const KV = Symbol('cluster etcd');

/** The operator: a candidate for the lead of its cluster, with the leader's duties behind it. */
@Module({})
class OperatorModule {}

/** The module of one operator process. @throws CodedError CONFIG_INVALID, KV_CONFIG */
export function operatorModule(config: Config, etcd: EtcdConfig, log: Log): DynamicModule {
  const settings = operatorSettings(config);
  const makeOperator = (kv: KvStore, metrics: OperatorMetrics): Operator =>
    new Operator({
      kv,
      settings,
      candidate: `${hostname()}/${process.pid}`,
      clock: systemClock,
      random: systemRandom,
      newUid: randomUUID,
      yieldToLoop: () => new Promise((resolve) => setImmediate(resolve)),
      log,
      metrics,
    });
  const makeProcess = (operator: Operator, server: StatusServer, kv: KvStore): OperatorProcess =>
    new OperatorProcess(operator, server, kv, config['prometheus-serve-addr'], log);
  return {
    module: OperatorModule,
    providers: [
      OperatorMetrics,
      { provide: KV, useFactory: () => new EtcdKvStore({ config: etcd, onConnection: logConnection(log) }) },
      { provide: Operator, useFactory: makeOperator, inject: [KV, OperatorMetrics] },
      { provide: StatusServer, useFactory: operatorStatus, inject: [Operator, OperatorMetrics] },
      { provide: OperatorProcess, useFactory: makeProcess, inject: [Operator, StatusServer, KV] },
    ],
  };
}
