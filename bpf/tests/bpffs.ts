import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A bpffs mount of the test's own. */
export interface Bpffs {
  path: string;
  remove(): void;
}

/** Mounts a fresh one; what is pinned there ends with it. */
export function mountBpffs(): Bpffs {
  const path = mkdtempSync(join(tmpdir(), 'isthmus-bpf-'));
  execFileSync('mount', ['-t', 'bpf', 'bpf', path]);
  return {
    path,
    remove() {
      execFileSync('umount', [path]);
      rmdirSync(path);
    },
  };
}
