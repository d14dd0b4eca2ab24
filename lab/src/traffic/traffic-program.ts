import { repositoryFile } from '../toolchain.ts';

/** Port of every echo server. */
export const ECHO_PORT = 8080;

/** The traffic program (traffic/*.c), as `make` builds it. */
export const TRAFFIC_PROGRAM = repositoryFile('.toolchain/lab/isthmus-traffic');

/** The command line of the traffic program. */
export function trafficCommand(args: readonly string[]): string[] {
  return [TRAFFIC_PROGRAM, ...args];
}

/** The objects that the traffic program printed, one a line. */
export function parseLines<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
