import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CodedError, messageOf } from '@isthmus/core';
import { LAB_MACHINE } from '../lab.errors.ts';
import { runCommand } from '../machine/run-command.ts';
import { repositoryFile } from '../toolchain.ts';
import type { LabPlan, NodePlace } from '../topology/plan.ts';

/** Whether a node encrypts. */
export function encrypts({ config }: Pick<NodePlace, 'config'>): boolean {
  return config['enable-wireguard'] === 'true';
}

/**
 * Fetches `wg` and wireguard-go where they are wanted and not there yet.
 * @throws CodedError LAB_MACHINE saying why this machine cannot
 */
export async function fetchWireGuard({ clusters }: LabPlan): Promise<void> {
  if (!clusters.some(({ nodes }) => nodes.some(encrypts))) return;
  try {
    await runCommand([repositoryFile('scripts/setup'), 'wireguard']);
  } catch (cause) {
    throw new CodedError(LAB_MACHINE, `wg and wireguard-go are needed and not to be had: ${messageOf(cause)}`, {
      object: 'scripts/setup wireguard',
      action: "Run 'scripts/setup wireguard' where it can fetch Debian packages, or do without enable-wireguard.",
      cause,
    });
  }
}

/** The programs, of which an agent needs both where the kernel has no WireGuard. */
const PROGRAMS = ['wg', 'wireguard-go'];

/** The command line with which an agent finds neither, wherever this machine has them. */
export function missingWireGuard(argv: readonly string[]): readonly string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const others = folders.filter((folder) => PROGRAMS.every((program) => !existsSync(join(folder, program))));
  return ['env', `PATH=${others.join(delimiter)}`, ...argv];
}

/** The command line with which an agent finds them. What is not its command line is not there when it is started again. */
export function findingWireGuard(node: NodePlace, argv: readonly string[]): readonly string[] {
  if (!encrypts(node)) return argv;
  return ['env', `PATH=${repositoryFile('.toolchain/wireguard/usr/bin')}:${process.env['PATH'] ?? ''}`, ...argv];
}
