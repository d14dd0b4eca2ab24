import { JoinClient } from '@isthmus/crypto';
import { AgentClient } from './agent/agent-client.ts';
import type { Connections } from './cli.ts';
import { ownVersion } from './own-version.ts';

/** The real outside. What only some commands need is loaded when they do: gRPC, and the library that calls the kernel. */
export const systemConnections: Connections = {
  joinApi: (options) => new JoinClient(options),
  resources: async (etcdFile) => (await import('./resource/etcd-resources.ts')).openEtcdResources(etcdFile),
  targets: async (etcdFile) => (await import('./encryption/etcd-targets.ts')).openEtcdTargets(etcdFile),
  agent: (socket) => new AgentClient(socket),
  host: async () => (await import('./preflight/system-host.ts')).systemHost,
  machine: async () => (await import('./sysdump/system-machine.ts')).systemMachine(ownVersion()),
  archive: async (path, folder, mtime) => new (await import('./sysdump/archive.ts')).Archive(path, folder, mtime),
};
