import { readFileSync, writeFileSync } from 'node:fs';
import { CodedError, defineError } from '@isthmus/core';
import { withNetns } from '../netns.ts';

/** Raised when a kernel setting of the network cannot be read or written. */
export const SYSCTL_FAILED = defineError(
  'SYSCTL_FAILED',
  'A kernel setting under /proc/sys/net could not be read or written',
  'Run as root with /proc/sys writable; a missing file means that the device is gone or the kernel lacks the feature',
);

/**
 * Writes a setting under `/proc/sys/net`, in a network namespace (the current one unless given). The kernel shows each thread the
 * settings of its own namespace, and synchronous file access happens on the calling thread.
 * @param name with slashes, as device names may hold dots: `ipv6/conf/eth0/disable_ipv6`
 * @throws CodedError SYSCTL_FAILED, NETNS_MISSING, NETNS_ENTER
 */
export function writeSysctl(netns: string | number | undefined, name: string, value: string | number): void {
  attempt(netns, name, `set to ${value}`, (path) => writeFileSync(path, `${value}\n`));
}

/**
 * Reads a setting under `/proc/sys/net`, see {@link writeSysctl}.
 * @throws CodedError SYSCTL_FAILED, NETNS_MISSING, NETNS_ENTER
 */
export function readSysctl(netns: string | number | undefined, name: string): string {
  return attempt(netns, name, 'be read', (path) => readFileSync(path, 'utf8').trim());
}

function attempt<T>(netns: string | number | undefined, name: string, what: string, fn: (path: string) => T): T {
  if (name.split('/').some((part) => part === '' || part === '.' || part === '..')) throw new RangeError(`not a setting: ${name}`);
  const access = (): T => {
    try {
      return fn(`/proc/sys/net/${name}`);
    } catch (cause) {
      throw new CodedError(SYSCTL_FAILED, `net/${name} cannot ${what}: ${(cause as NodeJS.ErrnoException).code}`, { object: name, cause });
    }
  };
  return netns === undefined ? access() : withNetns(netns, access);
}
