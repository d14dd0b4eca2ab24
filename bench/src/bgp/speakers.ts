import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { routingProgram } from '@isthmus/lab';
import { NETNS } from './bgp-link.ts';
import { Child } from './child.ts';
import { birdConfiguration, frrConfiguration, gobgpConfiguration } from './peer-configurations.ts';
import type { SpeakerReport } from './speaker/our-speaker.ts';

/** Compiled, as an agent is: a Node that reads TypeScript is larger. */
const OURS = new URL('../../dist/our-speaker.js', import.meta.url).pathname;
/** What an agent's Node is started with: scripts/run-app. */
const NODE = [process.execPath, '--max-semi-space-size=2'];

/** A speaker that can be measured. */
export type SpeakerName = 'ours' | 'BIRD' | 'FRR' | 'GoBGP';

/** One that runs. */
export interface RunningSpeaker {
  readonly pid: number;
  /** Ends it. @returns what ours says of itself */
  stop(): Promise<SpeakerReport | undefined>;
}

/** Starts a speaker in its namespace: with fresh memory, and waiting for both of its neighbours. */
export function startSpeaker(name: SpeakerName): RunningSpeaker {
  return name === 'ours' ? startOurs() : startDaemon(name);
}

function startOurs(): RunningSpeaker {
  const env = { ...process.env, MALLOC_ARENA_MAX: '2' };
  const child = new Child('our speaker', NETNS.speaker, [...NODE, ...(process.env['BENCH_NODE_FLAGS']?.split(' ') ?? []), OURS], { env });
  return {
    pid: child.pid,
    stop: async () => {
      const [report] = await Promise.all([child.nextLine(), child.stop('SIGTERM')]);
      return JSON.parse(report) as SpeakerReport;
    },
  };
}

function startDaemon(name: Exclude<SpeakerName, 'ours'>): RunningSpeaker {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-bench-bgp-'));
  const { program, configuration, words } = DAEMONS[name];
  const path = join(folder, 'configuration');
  writeFileSync(path, configuration);
  const child = new Child(name, NETNS.speaker, routingProgram(program, ['-f', ...words(path, folder)]), { silent: true });
  return {
    pid: child.pid,
    stop: async () => {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
      return undefined;
    },
  };
}

/** In the foreground, installing nothing in the kernel. */
const DAEMONS = {
  BIRD: {
    program: 'usr/sbin/bird',
    configuration: birdConfiguration,
    words: (path: string, folder: string) => ['-c', path, '-s', `${folder}/control`, '-P', `${folder}/pid`],
  },
  FRR: {
    program: 'usr/lib/frr/bgpd',
    configuration: frrConfiguration,
    words: (path: string, folder: string) => {
      const files = [path, '-i', `${folder}/pid`, '-z', `${folder}/zebra`, '--vty_socket', folder];
      return [...files, '-Z', '-n', '-S', '-u', 'root', '-g', 'root', '-P', '0', '--log-level', 'critical'];
    },
  },
  GoBGP: {
    program: 'usr/bin/gobgpd',
    configuration: gobgpConfiguration,
    words: (path: string) => [path, '--api-hosts', '127.0.0.1:50051', '--pprof-disable'],
  },
} as const;
