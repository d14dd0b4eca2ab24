import 'reflect-metadata';
import { CodedError, createLogger, LOG, type Logger } from '@isthmus/core';
import type { ParsedConfig } from '@isthmus/model';
import { NestFactory } from '@nestjs/core';
import { AgentModule, CONFIG, LOGGER } from './agent.module.ts';
import { Agent } from './agent.ts';
import { UnixServer } from './api/unix-server.ts';
import { CniHandler } from './cni/cni-handler.ts';
import { drainDeleteQueue } from './cni/delete-queue.ts';

/** Exit status of a process that cannot run as it is configured; others are for crashes. */
const EXIT_CONFIG = 78;

try {
  const app = await NestFactory.createApplicationContext(AgentModule, { logger: false, abortOnError: false });
  const log = app.get<Logger>(LOGGER);
  const { config, warnings } = app.get<ParsedConfig>(CONFIG);
  for (const warning of warnings) log.warn(warning);
  const agent = app.get(Agent);
  const server = app.get(UnixServer);
  const cni = app.get(CniHandler);
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
  for (const { file, answer, error } of await drainDeleteQueue(config['state-dir'], (body) =>
    cni.handle(body, AbortSignal.timeout(60_000)),
  ))
    log.info({ file, status: answer?.status, [LOG.error]: error }, 'a DEL that came while no agent ran');
  log.info('agent is running');
} catch (error) {
  createLogger('agent', 'info').fatal({ [LOG.error]: error }, error instanceof CodedError ? error.message : 'the agent cannot start');
  process.exit(error instanceof CodedError ? EXIT_CONFIG : 1);
}
