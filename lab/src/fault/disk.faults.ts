import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { agentStateDir } from '../node/agent.ts';
import { defineFault, type Fault } from './fault.ts';

const CHUNK = Buffer.alloc(4096);

/** The file system of a node's state folder is full: not one byte can be written any more. */
export function diskFull(cluster: string, node: string): Fault {
  return defineFault(`disk-full ${cluster}/${node}`, async (lab, undo) => {
    const file = join(agentStateDir(lab.node(cluster, node)), 'filler');
    undo.add(async () => rmSync(file, { force: true }));
    fill(file);
  });
}

function fill(file: string): void {
  const fd = openSync(file, 'w');
  try {
    for (;;) writeSync(fd, CHUNK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(fd);
  }
}
