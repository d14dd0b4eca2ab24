import { randomUUID } from 'node:crypto';
import { seededRandom } from '@isthmus/core';
import type { JoinApi, JoinClientOptions } from '@isthmus/crypto';
import { KvResources, MemoryKvServer } from '@isthmus/kvstore';
import { KvWireGuardTargets } from '@isthmus/mesh';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitStatus } from '../exit-status.ts';
import type { Host } from '../preflight/host.ts';
import { runCli } from '../run-cli.ts';
import { Archive } from '../sysdump/archive.ts';
import type { Machine } from '../sysdump/machine.ts';
import { FakeAgent } from './fake-agent.ts';
import { fakeHost } from './fake-host.ts';
import { fakeMachine } from './fake-machine.ts';
import { LeapingClock } from './leaping-clock.ts';

/** A command's world in memory. */
export class FakeCli {
  readonly clock = new LeapingClock();
  readonly agent = new FakeAgent();
  readonly interrupt = new AbortController();
  readonly env: Record<string, string | undefined> = {};
  /** Join APIs by endpoint. */
  readonly joinApis = new Map<string, JoinApi>();
  /** How each join API was opened. */
  readonly joinOptions: JoinClientOptions[] = [];
  readonly etcd = new MemoryKvServer({ clock: this.clock, random: seededRandom(1) });
  readonly etcdFiles: string[] = [];
  host: Host = fakeHost();
  machine: Machine = fakeMachine();
  /** As whom the etcd's target is opened. */
  user = 'admin-west';
  input = '';
  out = '';
  err = '';

  /** A store on the same etcd as the command's. */
  resources(): KvResources {
    return new KvResources({ kv: this.etcd.connect(), clock: this.clock, random: seededRandom(2), newUid: randomUUID });
  }

  /** Runs a command line, its output fresh. */
  async run(...argv: readonly string[]): Promise<ExitStatus> {
    this.out = '';
    this.err = '';
    return await runCli(argv, this.#cli());
  }

  #cli(): Cli {
    return {
      terminal: {
        out: (text) => {
          this.out += text;
        },
        err: (text) => {
          this.err += text;
        },
        readInput: async () => this.input,
        colour: false,
      },
      env: this.env,
      clock: this.clock,
      interrupted: this.interrupt.signal,
      exitStatus: EXIT.ok,
      connect: {
        joinApi: (options) => this.#joinApi(options),
        resources: async (file) => {
          this.etcdFiles.push(file);
          return { store: this.resources(), close: () => undefined };
        },
        targets: async (file) => {
          this.etcdFiles.push(file);
          return { targets: await KvWireGuardTargets.ofEtcd(this.etcd.connect()), user: this.user, close: () => undefined };
        },
        agent: () => this.agent,
        host: async () => this.host,
        machine: async () => this.machine,
        archive: async (path, folder, mtime) => new Archive(path, folder, mtime),
      },
    };
  }

  #joinApi(options: JoinClientOptions): JoinApi {
    this.joinOptions.push(options);
    const api = this.joinApis.get(options.endpoint);
    if (!api) throw new Error(`the test has no join API at ${options.endpoint}`);
    return api;
  }
}
