import 'reflect-metadata';
import { CodedError, createLogger, LOG, type Logger } from '@isthmus/core';
import type { ParsedConfig } from '@isthmus/model';
import { NestFactory } from '@nestjs/core';
import { AgentModule, CONFIG, LOGGER } from './agent.module.ts';
import { Agent } from './agent.ts';
import { UnixServer } from './api/unix-server.ts';

/** Exit status of a process that cannot run as it is configured; others are for crashes. */
const EXIT_CONFIG = 78;

try {
  const app = await NestFactory.createApplicationContext(AgentModule, { logger: false, abortOnError: false });
  const log = app.get<Logger>(LOGGER);
  for (const warning of app.get<ParsedConfig>(CONFIG).warnings) log.warn(warning);
  const agent = app.get(Agent);
  const server = app.get(UnixServer);
  // The socket first: while the agent waits for something, whoever asks is told for what.
  await server.start();
  const stop = async (signal: string): Promise<void> => {
    log.info({ signal }, 'stopping; the datapath stays as it is');
    await server.stop();
    await agent.stop();
    process.exit(0);
  };
  process.once('SIGTERM', () => void stop('SIGTERM'));
  process.once('SIGINT', () => void stop('SIGINT'));
  await agent.start();
  log.info('agent is running');
} catch (error) {
  createLogger('agent', 'info').fatal({ [LOG.error]: error }, error instanceof CodedError ? error.message : 'the agent cannot start');
  process.exit(error instanceof CodedError ? EXIT_CONFIG : 1);
}
