import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describeMachine, MESH_IN_MACHINE, SPECS_IN_MACHINE } from './describe-machine.ts';

// The same objects and the same code on the oldest kernel that we run on, which also has the devices that this machine's kernel may lack. Without a
// limit of time all of it on a newer kernel, too, and a mesh of whole agents.

const ALL = process.env['ISTHMUS_TEST_ALL'] === '1';
const OLD = { version: '6.1', folder: '.toolchain/kernel' } as const;
const NEWER = { version: '6.12', folder: '.toolchain/kernel-6.12', script: 'scripts/setup-kernel-6.12' } as const;

/** Fetches the newer kernel. @returns why it is not to be had; undefined when it is */
function fetchNewer(): string | undefined {
  const { status, stderr } = spawnSync(NEWER.script, { cwd: fileURLToPath(new URL('../..', import.meta.url)), encoding: 'utf8' });
  if (status === 0) return undefined;
  const said = stderr?.trim().split('\n').at(-1) ?? '';
  return said.replace(/^setup: /, '') || `${NEWER.script} ended with ${status}`;
}

describeMachine(OLD, SPECS_IN_MACHINE);

if (ALL) {
  const reason = fetchNewer();
  describeMachine(OLD, MESH_IN_MACHINE);
  if (reason === undefined) describeMachine(NEWER, SPECS_IN_MACHINE);
  else it.skip(`Linux ${NEWER.version} (${reason})`, () => undefined);
}
