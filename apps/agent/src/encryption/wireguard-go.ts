import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { basename } from 'node:path';
import { CodedError, defineError } from '@isthmus/core';
import { WIREGUARD_SOCKETS } from '@isthmus/crypto';
import { raiseSocketBuffers } from '@isthmus/datapath';

/** WireGuard is wanted, and there is none. */
export const WIREGUARD_UNAVAILABLE = defineError(
  'WIREGUARD_UNAVAILABLE',
  'Encryption is on, and this node has no WireGuard.',
  'Use a kernel with WireGuard (5.6 and newer; the module is called wireguard) and install wireguard-tools, or install wireguard-go.',
);

const START_TIMEOUT_MS = 5_000;
/** What may wait in its sockets: at 10,000 packets a second, of which each counts with some 2 KB, over a second. */
const SOCKET_BYTES = 32 * 1024 * 1024;

/**
 * Starts the process of a device that is there, unless it runs. It outlives the agent, which looks after it.
 * @throws CodedError WIREGUARD_UNAVAILABLE
 */
export async function serveDevice(device: string): Promise<void> {
  if (await isServed(device)) return;
  await start(device);
  if (!(await isServed(device))) throw unavailable(device, `wireguard-go does not answer at ${WIREGUARD_SOCKETS}/${device}.sock`);
}

/** Gives the sockets of a device's process room: while it waits for a processor packets come on. It opens them when the device gets its port. */
export function raiseDeviceBuffers(device: string): void {
  const pid = servantOf(device);
  if (pid !== undefined) raiseSocketBuffers(pid, SOCKET_BYTES);
}

function isServed(device: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(`${WIREGUARD_SOCKETS}/${device}.sock`);
    const end = (served: boolean) => (): void => {
      socket.destroy();
      resolve(served);
    };
    socket.once('connect', end(true));
    socket.once('error', end(false)); // No such file, or nobody who listens: a daemon that was killed leaves its socket.
  });
}

/** It listens, and then goes to the background by itself. Where it is told what to log it keeps our pipes, and ends with them. */
function start(device: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const { LOG_LEVEL: _, ...env } = process.env;
    execFile('wireguard-go', [device], { env, timeout: START_TIMEOUT_MS }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        reject(unavailable(device, 'the kernel has no WireGuard, and wireguard-go is not on the path', error));
      else reject(unavailable(device, `wireguard-go does not start: ${stderr.trim().split('\n').at(-1) || error.message}`, error));
    });
  });
}

/** The process that serves a device of this network namespace; other namespaces may have one of the same name. */
function servantOf(device: string): number | undefined {
  const namespace = readlinkSync('/proc/self/ns/net');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => serves(pid, device, namespace));
}

function serves(pid: number, device: string, namespace: string): boolean {
  try {
    const [program = '', argument] = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    return basename(program) === 'wireguard-go' && argument === device && readlinkSync(`/proc/${pid}/ns/net`) === namespace;
  } catch {
    return false; // It ended since, or is somebody else's.
  }
}

function unavailable(device: string, why: string, cause?: unknown): CodedError {
  return new CodedError(WIREGUARD_UNAVAILABLE, `${device}: ${why}`, { object: device, cause });
}
