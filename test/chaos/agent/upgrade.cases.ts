import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { agentId, type Lab, type NodePlace, startAgain, waitForProcess } from '@isthmus/lab';
import { losesNothing, MINUTE_MS, say } from '../chaos-lab.ts';
import { CHANGED_MAPS, previousObjects } from '../upgrade/previous-objects.ts';

const WITH_NODE = resolve('scripts/with-node');
const PROGRAM = resolve('test/chaos/upgrade/run-previous.ts');
/** Long enough for every flow to have gone through the earlier programs and maps. */
const PREVIOUS_MS = 1_000;
const TAKEN_OVER = 'a map of another layout was taken over';

interface Migrated {
  readonly name: string;
  readonly rows: number;
}

/** An agent that is replaced by one whose maps have another layout. */
export function upgradeCases(lab: () => Lab): void {
  it(
    'takes over the maps of an earlier version under traffic, and loses nothing',
    async () => {
      const previous = await previousObjects();
      try {
        await losesNothing(lab(), async () => {
          for (const node of [lab().node('east', 'n1'), lab().node('west', 'n2')]) await upgrade(lab(), node, previous.folder);
        });
      } finally {
        previous.remove();
      }
    },
    4 * MINUTE_MS,
  );
}

async function upgrade(lab: Lab, node: NodePlace, previous: string): Promise<void> {
  await lab.processes.stop(agentId(node), 'SIGKILL');
  const before = await runPrevious(lab, node, previous);
  expect(before.map(({ name }) => name).sort()).toEqual([...CHANGED_MAPS].sort());
  await new Promise((done) => setTimeout(done, PREVIOUS_MS));
  const logSize = readFileSync(lab.processes.get(agentId(node)).log).length;
  startAgain(lab, agentId(node));
  await waitForProcess(lab, agentId(node));
  const after = takenOver(lab, node, logSize);
  expect(after.map(({ name }) => name).sort()).toEqual([...CHANGED_MAPS].sort());
  // What programs write themselves goes on changing.
  const steady = (maps: readonly Migrated[]) =>
    maps.filter(({ name }) => !/sock_nat|metrics/.test(name)).map(({ name, rows }) => [name, rows]);
  expect(steady(after).sort()).toEqual(steady(before).sort());
  say(`${node.id}: ${after.map(({ name, rows }) => `${name} ${rows} rows`).join(', ')}`);
}

/** Answers which maps it changed. */
async function runPrevious(lab: Lab, node: NodePlace, objects: string): Promise<readonly Migrated[]> {
  const argv = [WITH_NODE, '--conditions=isthmus:source', PROGRAM, objects, '--config-dir', '/run/isthmus/config'];
  const { stdout, stderr } = await lab.exec(node, argv);
  expect(stderr).toBe('');
  const { pods, migrated } = JSON.parse(stdout) as { pods: number; migrated: Migrated[] };
  expect(pods).toBe(node.pods.length);
  return migrated;
}

function takenOver(lab: Lab, node: NodePlace, from: number): Migrated[] {
  const lines = readFileSync(lab.processes.get(agentId(node)).log)
    .subarray(from)
    .toString()
    .split('\n');
  return lines
    .filter((line) => line.includes(TAKEN_OVER))
    .map((line) => JSON.parse(line) as { map: string; rows: number })
    .map(({ map, rows }) => ({ name: map, rows }));
}
