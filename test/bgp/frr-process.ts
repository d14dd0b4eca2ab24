import { readFileSync } from 'node:fs';
import { type DaemonProcess, toolchain } from './daemon-process.ts';

/** How a daemon of FRR is started. */
export interface FrrStart {
  /** Path of its configuration. */
  readonly config: string;
  /** Path of the socket that zebra has, or that it is to have. */
  readonly socket: string;
  /** Words that only this daemon knows. */
  readonly more?: readonly string[];
}

/** Starts a daemon of FRR that works with zebra, or zebra itself, as root and in its folder. */
export function startFrr(daemon: DaemonProcess, name: string, { config, socket, more = [] }: FrrStart): void {
  // They insist on a group that only their package makes: they get a list of groups of their own, in their own mount namespace.
  const groups = daemon.write('group', `${readFileSync('/etc/group', 'utf8')}frrvty:x:61999:root\n`);
  const files = ['-f', config, '-i', `${daemon.folder}/pid`, '-z', socket, '--vty_socket', daemon.folder];
  const words = [toolchain(`usr/lib/frr/${name}`), ...files, '-u', 'root', '-g', 'root', '-P', '0', '--log', 'stdout', ...more];
  daemon.start('/bin/sh', ['-c', 'mount --bind "$0" /etc/group && exec "$@"', groups, ...words]);
}
