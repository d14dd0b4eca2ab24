import 'reflect-metadata';
import { CodedError, createLogger, LOG, type Logger } from '@isthmus/core';
import { parseConfig, readConfigSources } from '@isthmus/model';
import { NestFactory } from '@nestjs/core';
import { apiserverModule } from './apiserver.module.ts';
import { apiserverSettings } from './settings.ts';

const NAME = 'clustermesh-apiserver';
/** Exit status of a process that cannot run as it is configured; others are for crashes. */
const EXIT_CONFIG = 78;

async function start(): Promise<void> {
  const { config, warnings } = parseConfig(readConfigSources(process.argv.slice(2)));
  const log = createLogger(NAME, config['log-level']);
  for (const warning of warnings) log.warn(warning);
  const module = apiserverModule(apiserverSettings(config), log);
  const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  stopOnSignal(log, () => app.close());
}

/** A second signal while stopping ends the process at once. */
function stopOnSignal(log: Logger, stop: () => Promise<void>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, async () => {
      log.info({ signal }, 'stopping; everything in the etcds stays as it is');
      await stop();
      process.exit(0);
    });
}

start().catch((error: unknown) => {
  const message = error instanceof CodedError ? error.message : 'the clustermesh-apiserver cannot start';
  createLogger(NAME, 'info').fatal({ [LOG.error]: error }, message);
  process.exit(error instanceof CodedError ? EXIT_CONFIG : 1);
});
