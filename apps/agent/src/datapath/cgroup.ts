import { readFileSync } from 'node:fs';
import { CodedError, defineError } from '@isthmus/core';

export const CGROUP2_MISSING = defineError(
  'CGROUP2_MISSING',
  'No cgroup2 hierarchy is mounted.',
  'Mount one (`mount -t cgroup2 none /sys/fs/cgroup/unified`) or set `cgroup-root`.',
);

/** The folder whose sockets are translated: as configured, or wherever cgroup2 is mounted. @throws CodedError CGROUP2_MISSING */
export function cgroupRoot(configured: string): string {
  if (configured !== '') return configured;
  for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
    const [, target, type] = line.split(' ');
    if (type === 'cgroup2' && target) return target;
  }
  throw new CodedError(CGROUP2_MISSING, 'there is no cgroup2 mount', { object: 'cgroup-root' });
}
