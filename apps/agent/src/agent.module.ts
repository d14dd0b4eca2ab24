import { createLogger, type Logger, systemClock, systemRandom } from '@isthmus/core';
import { type ParsedConfig, parseConfig, readConfigSources } from '@isthmus/model';
import { Module } from '@nestjs/common';
import { Agent } from './agent.ts';
import { agentFacts } from './agent-facts.ts';
import { agentServer, cniHandler } from './agent-server.ts';
import { UnixServer } from './api/unix-server.ts';
import { CniHandler } from './cni/cni-handler.ts';

/** Injection tokens. */
export const CONFIG = Symbol('config');
export const LOGGER = Symbol('logger');

/** The node agent: endpoints, identities, datapath; see `agent.ts` for the order in which they start. */
@Module({
  providers: [
    { provide: CONFIG, useFactory: () => parseConfig(readConfigSources(process.argv.slice(2))) },
    { provide: LOGGER, useFactory: ({ config }: ParsedConfig) => createLogger('agent', config['log-level']), inject: [CONFIG] },
    {
      provide: Agent,
      useFactory: ({ config }: ParsedConfig, log: Logger) =>
        new Agent({ config, facts: agentFacts(config), clock: systemClock, random: systemRandom, log }),
      inject: [CONFIG, LOGGER],
    },
    { provide: CniHandler, useFactory: cniHandler, inject: [Agent] },
    {
      provide: UnixServer,
      useFactory: (agent: Agent, cni: CniHandler, { config }: ParsedConfig) => agentServer(agent, cni, config),
      inject: [Agent, CniHandler, CONFIG],
    },
  ],
})
export class AgentModule {}
