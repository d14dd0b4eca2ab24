import { execFile } from 'node:child_process';
import { open, readdir } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CodedError, messageOf } from '@isthmus/core';
import { CLI_COMMAND } from '../cli.errors.ts';
import { systemHost } from '../preflight/system-host.ts';
import type { Machine } from './machine.ts';

const TIMEOUT_MS = 30_000;
const MAX_OUTPUT = 64 * 1024 * 1024;

/** The machine that this process runs on. @param ownVersion of the command line */
export function systemMachine(ownVersion: string): Machine {
  return {
    hasProgram: systemHost.hasProgram,
    exists: systemHost.exists,
    run,
    readEnd,
    tree: async (path) => {
      const entries = await readdir(path, { recursive: true, withFileTypes: true });
      return entries
        .map(({ parentPath, name }) => `${join(parentPath, name)}\n`)
        .sort()
        .join('');
    },
    page,
    versions: () => ({ isthmus: ownVersion, node: process.version, platform: process.platform, arch: arch() }),
  };
}

async function run([program = '', ...args]: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT });
    return stdout + stderr;
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr?.trim();
    throw new CodedError(CLI_COMMAND, said || messageOf(cause), { object: [program, ...args].join(' '), cause });
  }
}

async function readEnd(path: string, maxBytes: number): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    // Files of procfs have no size until they are read.
    if (size <= maxBytes) return (await file.readFile('utf8')).slice(-maxBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, size - maxBytes);
    return `(the first ${size - maxBytes} bytes are left out)\n${buffer.toString('utf8', 0, bytesRead)}`;
  } finally {
    await file.close();
  }
}

async function page(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error: Error) => {
    // "fetch failed" says nothing; what is underneath does.
    throw error.cause ?? error;
  });
  // Not ready is an answer, too, and says for what it waits.
  if (!answer.ok && answer.status !== 503) throw new Error(`status ${answer.status}`);
  return await answer.text();
}
