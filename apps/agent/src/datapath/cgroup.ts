import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { CodedError, defineError } from '@isthmus/core';

export const CGROUP2_MISSING = defineError(
  'CGROUP2_MISSING',
  'No cgroup2 hierarchy is mounted, or `cgroup-root` names a folder that is not in one.',
  'Mount one (`mount -t cgroup2 none /sys/fs/cgroup/unified`) or set `cgroup-root` to a folder in one.',
);

/** Type of a cgroup2 mount, from magic.h of the kernel. */
const CGROUP2_FS = 0x63677270;

/** The folder whose sockets are translated: as configured, or wherever cgroup2 is mounted. @throws CodedError CGROUP2_MISSING */
export function cgroupRoot(configured: string): string {
  if (configured !== '') return inCgroup2(configured);
  for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
    const [, target, type] = line.split(' ');
    if (type === 'cgroup2' && target) return target;
  }
  throw new CodedError(CGROUP2_MISSING, 'there is no cgroup2 mount', { object: 'cgroup-root' });
}

function inCgroup2(folder: string): string {
  if (existsSync(folder) && statfsSync(folder).type === CGROUP2_FS) return folder;
  const why = existsSync(folder) ? 'is in no cgroup2 hierarchy' : 'does not exist';
  throw new CodedError(CGROUP2_MISSING, `cgroup-root ${folder} ${why}`, { object: folder });
}
