import { CodedError, messageOf } from '@isthmus/core';
import { LAB_MACHINE } from '../lab.errors.ts';
import { runCommand } from '../machine/run-command.ts';
import { repositoryFile } from '../toolchain.ts';

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

/**
 * Fetches BIRD, FRR and GoBGP where they are not there yet.
 * @throws CodedError LAB_MACHINE saying why this machine cannot
 */
export async function fetchRoutingDaemons(): Promise<void> {
  try {
    await runCommand([repositoryFile('scripts/setup'), 'bgp']);
  } catch (cause) {
    throw new CodedError(LAB_MACHINE, `BIRD, FRR and GoBGP are needed and not to be had: ${messageOf(cause)}`, {
      object: 'scripts/setup bgp',
      action: "Run 'scripts/setup bgp' where it can fetch Debian packages, or do without racks.",
      cause,
    });
  }
}

/** The command line that runs one of their programs, which is where it was unpacked and not where its package would have put it. */
export function routingProgram(path: string, args: readonly string[]): string[] {
  const at = (folder: string): string => repositoryFile(`.toolchain/bgp/${folder}`);
  return ['env', `LD_LIBRARY_PATH=${at(LIBRARIES)}:${at(`${LIBRARIES}/frr`)}`, at(path), ...args];
}
