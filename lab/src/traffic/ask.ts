import { l4Key, type Protocol } from '@isthmus/model';
import type { Lab } from '../lab.ts';
import type { Addresses, Place } from '../topology/plan.ts';
import { ECHO_PORT, parseLines, trafficCommand } from './traffic-program.ts';

/** What came of one question to an echo server. */
export interface Answer {
  /** Whom the client asked: `TCP/10.1.0.5:80`. */
  readonly target: string;
  readonly ok: boolean;
  /** Errno's name when there was no answer. */
  readonly error?: string;
  /** Id of the place whose server answered. */
  readonly server?: string;
  /** The client's address and port as the server saw them. */
  readonly saw?: string;
  /** Where the answer came from, as the client saw it. */
  readonly from?: string;
}

/** How to ask. */
export interface AskOptions {
  /** Questions to each target, each with a socket of its own. */
  readonly count?: number;
  /** UDP sockets connect first. */
  readonly connected?: boolean;
  /** IPv4 targets are asked through IPv6 sockets, as `::ffff:a.b.c.d`. */
  readonly mapped?: boolean;
  /** How long to wait for each answer. */
  readonly timeoutMs?: number;
}

/** Asks every target from a place, one after the other. */
export async function ask(lab: Lab, from: Place, targets: readonly string[], options: AskOptions = {}): Promise<Answer[]> {
  const { count = 1, connected = false, mapped = false, timeoutMs = 1_000 } = options;
  const flags = [
    '--count',
    String(count),
    '--timeout-ms',
    String(timeoutMs),
    ...(connected ? ['--connected'] : []),
    ...(mapped ? ['--mapped'] : []),
  ];
  const { stdout, stderr } = await lab.exec(from, trafficCommand(['ask', ...flags, ...targets]));
  if (stderr !== '') throw new Error(`${from.id}: ${stderr.trim()}`);
  return parseLines(stdout);
}

/** The echo servers at both addresses: first IPv4, then IPv6. */
export function echoTargets(addresses: Addresses, protocol: Protocol, port: number = ECHO_PORT): string[] {
  return [addresses.ipv4, addresses.ipv6].map((ip) => l4Key(protocol, ip, port));
}

/** The address in `address:port` text. */
export function hostOf(text: string): string {
  return text.slice(0, text.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}
