import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentId, agentStatus, bpfRows, type Lab, type NodePlace, startAgain, waitForProcess, waitUntil } from '@isthmus/lab';
import { agentMetric } from '../agent-answer.ts';
import { converged, losesNothing, MINUTE_MS, say } from '../chaos-lab.ts';
import { MassRecords } from '../mass/mass-records.ts';

const SETTING = 'bpf-ipcache-max';
const ROOM = 50;
const RECORDS = 400;
const SAID_MS = 30_000;

/** A map that is full hurts nobody who is in it, says so, and is well again by itself. */
export function mapLimitCases(lab: () => Lab): void {
  it(
    'says which map is full and what it holds, leaves what is in it alone, and is well again when rows go',
    () =>
      losesNothing(lab(), async () => {
        const node = lab().node('east', 'n2');
        const rows = (await bpfRows<object>(node, 'ipcache')).length;
        const limit = rows + ROOM;
        const records = new MassRecords(lab(), lab().cluster('west'), RECORDS);
        try {
          await restartWithLimit(lab(), node, limit);
          await records.put();
          await expectFull(lab(), node, limit, rows + RECORDS);
          await records.delete();
          await converged(lab());
          expect(await bpfRows<object>(node, 'ipcache')).toHaveLength(rows);
          expect(await agentMetric(node, 'isthmus_sink_failing_rows{sink="ipcache"}')).toBe(0);
        } finally {
          await records.delete();
          await restartWithLimit(lab(), node, undefined);
        }
      }),
    3 * MINUTE_MS,
  );
}

/** @param least rows that the map is to have, beside those of the invented node itself */
async function expectFull(lab: Lab, node: NodePlace, limit: number, least: number): Promise<void> {
  const error = `BPF_MAP_FULL: map isth_ipcache is full: it holds ${limit} entries`;
  let seen = '';
  const status = await waitUntil(
    async () => {
      const now = await agentStatus(node);
      const wanted = now?.tables['ipcache'] ?? 0;
      seen = `${wanted} rows are wanted, ${now?.sinks.failingRows} fail`;
      return wanted >= least && now?.sinks.failingRows === wanted - limit ? now : undefined;
    },
    {
      what: 'what has no room to fail',
      onTimeout: () => seen,
      timeoutMs: SAID_MS,
      everyMs: 100,
    },
  );
  expect(status.sinks.failing[0]).toMatchObject({ sink: 'ipcache', error });
  expect(status.sinks.failing.length).toBeLessThanOrEqual(20);
  expect(await agentMetric(node, 'isthmus_sink_failing_rows{sink="ipcache"}')).toBe(status.sinks.failingRows);
  expect(await agentMetric(node, 'cilium_bpf_map_pressure{map_name="isth_ipcache"}')).toBeGreaterThan(1);
  const said = await waitUntil(() => logged(lab, node).find((line) => line.err?.code === 'BPF_MAP_FULL'), {
    what: 'the log to say so',
    timeoutMs: SAID_MS,
  });
  expect(said).toMatchObject({ sink: 'ipcache', err: { object: 'isth_ipcache', action: expect.stringContaining('limit') } });
  say(`${status.sinks.failingRows} rows: ${error}`);
}

interface LogLine {
  readonly msg: string;
  readonly err?: { readonly code?: string };
}

function logged(lab: Lab, node: NodePlace): LogLine[] {
  const lines = readFileSync(lab.processes.get(agentId(node)).log, 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine);
}

/** The map is made smaller, or as large as it was, under traffic. */
async function restartWithLimit(lab: Lab, node: NodePlace, limit: number | undefined): Promise<void> {
  const file = join(node.run, 'isthmus/config', SETTING);
  if (limit === undefined) rmSync(file, { force: true });
  else writeFileSync(file, String(limit));
  await lab.processes.stop(agentId(node), 'SIGKILL');
  startAgain(lab, agentId(node));
  await waitForProcess(lab, agentId(node));
}
