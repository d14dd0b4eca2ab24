import { closeSync, constants, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@isthmus/core';
import { BPF_ATTACH } from './bpf-error.ts';
import { ensureLink, removeLink } from './link.ts';
import { AttachType } from './syscall.ts';

/** The hooks of the socket programs; each program is named `sock_<hook>`. */
export const SOCKET_HOOKS = [
  'connect4',
  'connect6',
  'sendmsg4',
  'sendmsg6',
  'recvmsg4',
  'recvmsg6',
  'getpeername4',
  'getpeername6',
] as const;

/** One of {@link SOCKET_HOOKS}. */
export type SocketHook = (typeof SOCKET_HOOKS)[number];

/** Where a socket program is attached. */
export interface CgroupAttachment {
  programFd: number;
  hook: SocketHook;
  /** A folder of the cgroup2 hierarchy; the hook works for sockets made by processes below it. */
  cgroup: string;
  /** Path on a bpffs mount for the link's pin. */
  pin: string;
}

/**
 * Attaches a socket program to a cgroup, or swaps it in place when it is attached already.
 * @throws CodedError BPF_ATTACH
 */
export function attachCgroup(attachment: CgroupAttachment): 'created' | 'updated' {
  const { programFd, hook, cgroup, pin } = attachment;
  const fd = openCgroup(cgroup);
  try {
    // A cgroup's id is the inode number of its folder.
    const id = statSync(cgroup, { bigint: true }).ino;
    const sameTarget = (info: DataView): boolean => info.getBigUint64(0, true) === id;
    return ensureLink({ programFd, target: fd, attachType: AttachType[hook], pin, sameTarget });
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw new CodedError(BPF_ATTACH, `cannot attach ${hook} to cgroup ${cgroup}`, { object: cgroup, cause });
  } finally {
    closeSync(fd);
  }
}

/**
 * Attaches all socket hooks; `program` gives the descriptor of the program for a hook. Pins are `<folder>/link_sock_<hook>`.
 * @throws CodedError BPF_ATTACH
 */
export function attachSocketHooks(cgroup: string, pinFolder: string, program: (name: string) => number): void {
  mkdirSync(pinFolder, { recursive: true, mode: 0o700 });
  for (const hook of SOCKET_HOOKS) attachCgroup({ programFd: program(`sock_${hook}`), hook, cgroup, pin: socketHookPin(pinFolder, hook) });
}

/** Detaches all socket hooks. Absent ones are fine. */
export function detachSocketHooks(pinFolder: string): void {
  for (const hook of SOCKET_HOOKS) removeLink(socketHookPin(pinFolder, hook));
}

function socketHookPin(folder: string, hook: SocketHook): string {
  return join(folder, `link_sock_${hook}`);
}

function openCgroup(cgroup: string): number {
  try {
    return openSync(cgroup, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    throw new CodedError(BPF_ATTACH, `cannot open cgroup ${cgroup}`, { object: cgroup, cause });
  }
}
