import { type Log, ManualClock, seededRandom } from '@isthmus/core';
import { KvResources, MemoryKvServer } from '@isthmus/kvstore';
import { ENDPOINT_SLICE, parseConfig } from '@isthmus/model';
import { LeaderDuties } from '../leader-duties.ts';
import { operatorSettings } from '../settings.ts';
import { OperatorMetrics } from '../status/operator-metrics.ts';

const CONFIG = {
  'cluster-name': 'east',
  'cluster-id': '1',
  'cluster-pool-ipv4-cidr': '10.1.0.0/16',
  'cluster-pool-ipv6-cidr': 'fd00:1::/104',
};

/** A leader's duties on a store in memory, with a clock that the spec moves. */
export function leaderBench(config: Record<string, string> = {}) {
  const clock = new ManualClock();
  const server = new MemoryKvServer({ clock, random: seededRandom(1) });
  const kv = server.connect();
  let serial = 0;
  const resources = new KvResources({ kv, clock, random: seededRandom(2), newUid: () => `uid-${++serial}` });
  const said: string[] = [];
  const note = (fields: object): void => void said.push(JSON.stringify(fields));
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const settings = operatorSettings(parseConfig({ ...CONFIG, ...config }).config);
  const metrics = new OperatorMetrics();
  const yieldToLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const start = () => {
    const stop = new AbortController();
    const duties = new LeaderDuties({ kv, resources, settings, clock, random: seededRandom(3), log, metrics, yieldToLoop });
    const done = duties.run(stop.signal);
    const end = async (): Promise<void> => {
      stop.abort();
      await done;
    };
    return { duties, end };
  };
  /** Lets everything come to rest while `ms` pass. */
  const settle = async (ms = 0): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      clock.advance(ms / 20);
      for (let turn = 0; turn < 8; turn++) await yieldToLoop();
    }
  };
  const slices = async () => (await resources.list(ENDPOINT_SLICE)).map(({ metadata: { name }, endpoints }) => [name, endpoints.length]);
  const heard = (code: string): number => said.filter((line) => line.includes(`"code":"${code}"`)).length;
  return { clock, server, kv, resources, metrics, start, settle, slices, heard, said };
}
