import { dirname } from 'node:path';
import {
  CodedError,
  createLogger,
  LOG,
  type Logger,
  type MetricsText,
  prometheusText,
  StatusServer,
  systemClock,
  systemRandom,
} from '@isthmus/core';
import { type Config, parseConfig, readConfigSources } from '@isthmus/model';
import { Agent } from './agent.ts';
import { agentFacts } from './agent-facts.ts';
import { agentServer, cniHandler } from './agent-server.ts';
import type { CniHandler } from './cni/cni-handler.ts';
import { DeleteQueue } from './cni/delete-queue.ts';
import { agentMetrics } from './metrics/agent-metrics.ts';
import { checkNodeRequirements } from './node/node-requirements.ts';

/** Exit status of a process that cannot run as it is configured; others are for crashes. */
const EXIT_CONFIG = 78;
const QUEUED_DELETE_TIMEOUT_MS = 60_000;

let stopping = false;
try {
  const { config, warnings } = parseConfig(readConfigSources(process.argv.slice(2)));
  const log = createLogger('agent', config['log-level']);
  for (const warning of warnings) log.warn(warning);
  checkNodeRequirements(config);
  await run(config, log);
} catch (error) {
  if (!stopping) {
    createLogger('agent', 'info').fatal({ [LOG.error]: error }, error instanceof CodedError ? error.message : 'the agent cannot start');
    process.exit(error instanceof CodedError ? EXIT_CONFIG : 1);
  }
}

/** The whole agent, by hand: a container of dependencies would cost every node 16 MB and 200 ms (docs/adr/0007-agent-without-nest.md). */
async function run(config: Config, log: Logger): Promise<void> {
  const agent = new Agent({ config, facts: agentFacts(config), clock: systemClock, random: systemRandom, log });
  // The plugin queues beside the socket unless it is told the state folder.
  const deletes = new DeleteQueue([config['state-dir'], dirname(config['socket-path'])]);
  const cni = cniHandler(agent, deletes);
  const measured = agentMetrics(agent);
  const metrics = (): Promise<MetricsText> => prometheusText(measured);
  const server = agentServer(agent, cni, metrics, config);
  const health = new StatusServer({
    notReady: () => agent.waitingFor(),
    metrics,
  });
  const stop = async (signal: string): Promise<void> => {
    stopping = true;
    log.info({ signal }, 'stopping; the datapath stays as it is');
    await Promise.all([server.stop(), health.close()]);
    await agent.stop();
    process.exit(0);
  };
  process.once('SIGTERM', () => void stop('SIGTERM'));
  process.once('SIGINT', () => void stop('SIGINT'));
  // The socket first: while the agent waits for something, whoever asks is told for what.
  await server.start();
  if (config['prometheus-serve-addr'] !== '') await health.listen(config['prometheus-serve-addr']);
  await agent.start();
  await workOffDeletes(deletes, cni, log);
  log.info('agent is running');
}

async function workOffDeletes(deletes: DeleteQueue, cni: CniHandler, log: Logger): Promise<void> {
  const done = await deletes.drain((body) => cni.handle(body, AbortSignal.timeout(QUEUED_DELETE_TIMEOUT_MS)));
  for (const { file, answer, error } of done) {
    if (answer?.status === 200) log.info({ file }, 'worked off a DEL that came while no agent ran');
    else log.error({ file, answer: answer?.body, [LOG.error]: error }, 'a DEL that came while no agent ran stays queued');
  }
}
