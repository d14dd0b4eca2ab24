import { agentConfig, agentStatus, agentTables, mapNames, mapRows, tableRows } from '../agent/agent-answers.ts';
import type { AgentApi } from '../agent/agent-api.ts';
import { encryptionOf } from '../encryption/encryption-answers.ts';
import { type DumpPart, jsonFile } from './dump-part.ts';

/** What this node's agent believes, and what is in the kernel's maps. */
export function agentPart(agent: AgentApi): DumpPart {
  return {
    name: "this node's agent",
    async files() {
      const [tables, maps] = await Promise.all([agentTables(agent), mapNames(agent)]);
      return [
        jsonFile('agent/status.json', () => agentStatus(agent)),
        jsonFile('agent/config.json', () => agentConfig(agent)),
        jsonFile('agent/encryption.json', () => encryptionOf(agent)),
        { path: 'agent/metrics.txt', read: () => agent.text('/v1/metrics') },
        jsonFile('agent/tables.json', async () => tables),
        ...tables.map(({ name }) => jsonFile(`agent/tables/${name.replaceAll('/', '.')}.json`, () => tableRows(agent, name))),
        ...maps.map((name) => jsonFile(`agent/bpf/${name}.json`, () => mapRows(agent, name))),
      ];
    },
  };
}
