import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TOOLS = fileURLToPath(new URL('../../.toolchain/wireguard/usr/bin', import.meta.url));
/** Where wireguard-go has its sockets while it runs: namespaces share the folder. */
export const SOCKETS = '/run/wireguard';

/** Where one of WireGuard's programs is. @throws Error when it is not fetched */
export function tool(program: string): string {
  const path = join(TOOLS, program);
  if (!existsSync(path)) throw new Error(`${path} is not there: scripts/setup-wireguard fetches it, and says why when it cannot`);
  return path;
}

/** Runs a program in a network namespace. @returns what it printed @throws Error with `stderr` */
export function runIn(netns: string, program: string, words: readonly string[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    execFile('ip', ['netns', 'exec', netns, program, ...words], { encoding: 'buffer' }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(Object.assign(error, { stderr: stderr.toString() }));
    });
  });
}
