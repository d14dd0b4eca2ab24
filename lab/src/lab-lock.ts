import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { CodedError } from '@isthmus/core';
import { LAB_BUSY } from './lab.errors.ts';
import { startTime } from './process/process-stat.ts';
import { STATE_ROOT } from './topology/lab-paths.ts';

/**
 * Runs `work` while no other command changes the same lab. A lock whose holder has ended is taken over.
 * @throws CodedError LAB_BUSY
 */
export async function withLabLock<T>(lab: string, work: () => Promise<T>): Promise<T> {
  const path = `${STATE_ROOT}-${lab}.lock`;
  acquire(lab, path);
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function acquire(lab: string, path: string): void {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, `${process.pid} ${startTime(process.pid)}`);
  try {
    if (tryLink(own, path)) return;
    const [pid = '', since = ''] = readFileSync(path, 'utf8').split(' ');
    if (startTime(Number(pid)) === since) throw new CodedError(LAB_BUSY, `process ${pid} is changing lab ${lab}`, { object: lab });
    rmSync(path, { force: true });
    if (!tryLink(own, path)) throw new CodedError(LAB_BUSY, `another command is changing lab ${lab}`, { object: lab });
  } finally {
    rmSync(own, { force: true });
  }
}

/** A link appears whole and only once: the file system decides who was first. */
function tryLink(own: string, path: string): boolean {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
