import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Supervisor } from '../process/supervisor.ts';
import { nodeCommand } from '../toolchain.ts';
import type { LabPlan } from '../topology/plan.ts';
import { alwaysSniffs, attachSniffers, numberedCables, snifferFolder } from './sniffer-links.ts';
import { READING } from './sniffer-words.ts';

/** Id of the process that writes down what forbidden frames look like. */
export const SNIFFER_ID = 'sniffer';

const PROGRAM = fileURLToPath(new URL('./read-events.ts', import.meta.url));
const READY_TIMEOUT_MS = 60_000;

/** Listens on every cable from now on, until the lab is taken down; only where all nodes encrypt. @returns how many cables there are */
export async function startSniffers(plan: LabPlan, processes: Supervisor): Promise<number> {
  if (!alwaysSniffs(plan)) return 0;
  const cables = numberedCables(plan);
  await attachSniffers(plan, cables);
  const names = cables.map(({ name }) => name);
  const argv = nodeCommand(['--conditions=isthmus:source', PROGRAM, snifferFolder(plan), ...names]);
  const { log } = processes.start({ id: SNIFFER_ID, place: plan.router, argv });
  await processes.waitReady(SNIFFER_ID, async () => readFileSync(log, 'utf8').includes(READING), READY_TIMEOUT_MS);
  return cables.length;
}
