import { randomUUID } from 'node:crypto';
import { systemClock, systemRandom } from '@isthmus/core';
import { JoinClient } from '@isthmus/crypto';
import { EtcdKvStore, KvResources, readEtcdConfig } from '@isthmus/kvstore';
import { AgentClient } from './agent/agent-client.ts';
import type { Connections } from './cli.ts';

/** The real outside. */
export const systemConnections: Connections = {
  joinApi: (options) => new JoinClient(options),
  resources: async (etcdFile) => {
    const kv = new EtcdKvStore({ config: await readEtcdConfig(etcdFile) });
    const store = new KvResources({ kv, clock: systemClock, random: systemRandom, newUid: randomUUID });
    return { store, close: () => kv.close() };
  },
  agent: (socket) => new AgentClient(socket),
  // Only preflight calls the kernel: the other commands start faster without, and run where no libbpf is.
  host: async () => (await import('./preflight/system-host.ts')).systemHost,
};
