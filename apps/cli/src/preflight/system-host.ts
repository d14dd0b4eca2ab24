import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isCoded } from '@isthmus/core';
import { type ConnectedSocket, destroySocket, kernelHasTcx, NETLINK_UNSUPPORTED, NetlinkSocket, requireLibbpf } from '@isthmus/datapath';
import type { Host, Tried } from './host.ts';

/** Where programs of the system are, for users whose path leaves them out. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
const TIMEOUT_MS = 10_000;

/** A socket that there is not: a kernel that could close it says so, one that cannot says that. */
const NO_SOCKET: ConnectedSocket = {
  protocol: 'tcp',
  family: 4,
  ip: '127.0.0.1',
  port: 1,
  source: '127.0.0.1',
  sourcePort: 1,
  cookie: 0n,
  inode: 0,
  id: Buffer.alloc(48),
};

/** The machine that this process runs on. */
export const systemHost: Host = {
  read: readOrUndefined,
  exists: existsSync,
  fileSystemType: (path) => (existsSync(path) ? statfsSync(path).type : undefined),
  hasProgram: (name) => findProgram(name) !== undefined,
  tryIp,
  hasTcx: kernelHasTcx,
  canDestroySockets,
  requireLibbpf,
};

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // Not there, or not for this user: checks say what that means.
  }
}

function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function tryIp(...args: readonly string[]): Tried {
  const [unshare, ip] = [findProgram('unshare'), findProgram('ip')];
  if (unshare === undefined || ip === undefined) return { status: undefined, said: '' };
  const { status, stderr } = spawnSync(unshare, ['--net', ip, ...args], { encoding: 'utf8', timeout: TIMEOUT_MS });
  return { status: status ?? 1, said: (stderr ?? '').trim().split('\n').at(-1) ?? '' };
}

function canDestroySockets(): boolean {
  try {
    NetlinkSocket.using('sock-diag', undefined, (diag) => destroySocket(diag, NO_SOCKET));
    return true;
  } catch (error) {
    if (isCoded(error, NETLINK_UNSUPPORTED)) return false;
    throw error;
  }
}
