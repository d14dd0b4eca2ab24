import type { Lab } from '../lab.ts';
import type { Place } from '../topology/plan.ts';
import { parseLines, trafficCommand } from './traffic-program.ts';

/** What came of one large write. */
export interface BulkResult {
  readonly target: string;
  /** The server saw the same bytes. */
  readonly ok: boolean;
  readonly error?: string;
}

/** Writes so many bytes at once to each target and compares checksums. */
export async function sendBulk(lab: Lab, from: Place, targets: readonly string[], bytes: number): Promise<BulkResult[]> {
  return run(lab, from, ['bulk', '--timeout-ms', '3000', '--bytes', String(bytes), ...targets]);
}

/** Datagrams that were sent to a target in super-packets, and how many came back. */
export interface BurstResult {
  readonly target: string;
  readonly sent: number;
  readonly answered: number;
}

/** Sends super-packets (UDP_SEGMENT) with datagrams of so many bytes to each target, one after the other. */
export async function sendBursts(lab: Lab, from: Place, targets: readonly string[], count: number, bytes: number): Promise<BurstResult[]> {
  return run(lab, from, ['burst', '--timeout-ms', '3000', '--count', String(count), '--bytes', String(bytes), ...targets]);
}

/** What came of a packet of exactly the size, and of one that is a byte longer: `answered`, `PTB`, `silence`, or an errno's name. */
export interface SizeResult {
  readonly target: string;
  readonly fits: string;
  readonly exceeds: string;
}

/** Sends datagrams that must not be fragmented: one whose packet has so many bytes, IP header included, then one with a byte more. */
export async function probeSize(lab: Lab, from: Place, targets: readonly string[], bytes: number): Promise<SizeResult[]> {
  return run(lab, from, ['mtu', '--bytes', String(bytes), ...targets]);
}

async function run<T>(lab: Lab, from: Place, args: readonly string[]): Promise<T[]> {
  const { stdout, stderr } = await lab.exec(from, trafficCommand(args));
  if (stderr !== '') throw new Error(`${from.id}: ${stderr.trim()}`);
  return parseLines(stdout);
}
