import { constants, statfsSync } from 'node:fs';
import { CodedError, defineError } from '@isthmus/core';
import { errnoName } from './errno-name.ts';
import { errno, libcCalls } from './libc.ts';

const CLONE_NEWNET = 0x40000000;
const OPEN_FLAGS = constants.O_RDONLY | 0o2000000; // O_CLOEXEC
/** Type of the file system that namespaces' files are of, from magic.h of the kernel. */
const NSFS = 0x6e736673;
/** Asks a namespace of which kind it is, from nsfs.h of the kernel (4.11). */
const NS_GET_NSTYPE = 0xb703;
const OWN_NETNS = '/proc/thread-self/ns/net';

/** Raised when the file of a network namespace is not there: the pod or the lab node that owned it is gone. */
export const NETNS_MISSING = defineError(
  'NETNS_MISSING',
  'The file of a network namespace does not exist',
  'Check that the container still runs; a deleted one needs nothing more',
);

/** Raised when a network namespace is there and cannot be entered. */
export const NETNS_ENTER = defineError(
  'NETNS_ENTER',
  'A network namespace could not be entered',
  'Run as root, or with CAP_SYS_ADMIN in the user namespace that owns the network namespace',
);

/**
 * Opens a network namespace by its file (`/run/netns/x`, `/proc/<pid>/ns/net`).
 * @returns a descriptor that keeps the namespace alive until {@link closeNetns}
 * @throws CodedError NETNS_MISSING, NETNS_ENTER
 */
export function openNetns(path: string): number {
  const fd = libcCalls.open(path, OPEN_FLAGS);
  if (fd >= 0) return checked(fd, path);
  const name = errnoName(errno());
  throw new CodedError(name === 'ENOENT' ? NETNS_MISSING : NETNS_ENTER, `cannot open network namespace ${path}: ${name}`, {
    object: path,
  });
}

/** The file stays when its mount goes, or is made elsewhere: what the kernel would say of it is no more than EINVAL. */
function checked(fd: number, path: string): number {
  if (path === OWN_NETNS) return fd;
  const other = statfsSync(path).type !== NSFS ? 'an ordinary file lies there' : otherKind(fd);
  if (other === undefined) return fd;
  closeNetns(fd);
  const action = 'Check that the container still runs, and that mounts made on the machine are visible to the agent';
  throw new CodedError(NETNS_ENTER, `${path} is no network namespace: ${other}`, { object: path, action });
}

function otherKind(fd: number): string | undefined {
  const kind = libcCalls.ioctl(fd, NS_GET_NSTYPE);
  return kind === CLONE_NEWNET || kind < 0 ? undefined : 'it is a namespace of another kind';
}

/** Closes a descriptor from {@link openNetns}. */
export function closeNetns(fd: number): void {
  libcCalls.close(fd);
}

/**
 * Runs `fn` with the calling thread inside another network namespace and comes back, whatever `fn` does. Sockets and netlink
 * descriptors made inside stay bound to that namespace and may be used later from anywhere.
 *
 * `fn` must be synchronous: after an `await` other code of this thread would run in the wrong namespace. Nesting is fine. When the
 * way back fails the process aborts: nothing that it would do from then on is certain to happen in its own namespace.
 * @param target file of the namespace, or an open descriptor (which stays open)
 * @throws CodedError NETNS_MISSING, NETNS_ENTER; TypeError when `fn` returns a promise
 */
export function withNetns<T>(target: string | number, fn: () => T): T {
  if (typeof target === 'number') return inside(target, `fd ${target}`, fn);
  const fd = openNetns(target);
  try {
    return inside(fd, target, fn);
  } finally {
    closeNetns(fd);
  }
}

function inside<T>(fd: number, name: string, fn: () => T): T {
  const home = openNetns(OWN_NETNS);
  try {
    enter(fd, name);
    return runAndReturn(home, fn);
  } finally {
    closeNetns(home);
  }
}

function enter(fd: number, name: string): void {
  if (libcCalls.setns(fd, CLONE_NEWNET) === 0) return;
  throw new CodedError(NETNS_ENTER, `cannot enter network namespace ${name}: ${errnoName(errno())}`, { object: name });
}

function runAndReturn<T>(home: number, fn: () => T): T {
  try {
    const result = fn();
    if (isThenable(result)) throw new TypeError('withNetns: the function must not be asynchronous');
    return result;
  } finally {
    if (libcCalls.setns(home, CLONE_NEWNET) !== 0) {
      process.stderr.write(`isthmus: cannot return to the own network namespace: ${errnoName(errno())}; aborting\n`);
      process.abort();
    }
  }
}

function isThenable(value: unknown): boolean {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
