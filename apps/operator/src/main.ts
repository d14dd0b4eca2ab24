import { createLogger, LOG, type Log } from '@isthmus/core';
import 'reflect-metadata';
import { readEtcdConfig } from '@isthmus/kvstore';
import { parseConfig, readConfigSources } from '@isthmus/model';
import { NestFactory } from '@nestjs/core';
import { nestLog } from './nest-log.ts';
import { operatorModule } from './operator.module.ts';

async function start(): Promise<void> {
  const { config, warnings } = parseConfig(readConfigSources(process.argv.slice(2)));
  const log = createLogger('operator', config['log-level']);
  for (const warning of warnings) log.warn({}, warning);
  const module = operatorModule(config, await readEtcdConfig(config['etcd-config']), log);
  const app = await NestFactory.createApplicationContext(module, { logger: nestLog(log), abortOnError: false });
  stopOnSignal(log, () => app.close());
}

/** A second signal while stopping ends the process at once. */
function stopOnSignal(log: Log, stop: () => Promise<void>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, async () => {
      log.info({ [LOG.signal]: signal }, 'stopping');
      await stop();
      process.exit(0);
    });
}

start().catch((error: unknown) => {
  createLogger('operator', 'error').error({ [LOG.error]: error }, 'the operator cannot start');
  process.exit(1);
});
