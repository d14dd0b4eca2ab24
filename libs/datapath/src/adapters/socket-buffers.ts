import { readdirSync, readlinkSync } from 'node:fs';
import { errno, int32, libcCalls } from './libc.ts';
import { NetlinkError } from './netlink/netlink-error.ts';

const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SYS_PIDFD_OPEN = 434;
const SYS_PIDFD_GETFD = 438;

/**
 * Gives all sockets that another process has open room for so many bytes in each direction, whatever the machine's limits: for a program that does not
 * do it itself.
 * @returns how many there were
 * @throws NetlinkError when the process is gone or another one's
 */
export function raiseSocketBuffers(pid: number, bytes: number): number {
  const process = checked(libcCalls.syscall(SYS_PIDFD_OPEN, pid, 0, 0), pid);
  try {
    const sockets = socketsOf(pid);
    for (const number of sockets) raise(checked(libcCalls.syscall(SYS_PIDFD_GETFD, process, number, 0), pid), bytes);
    return sockets.length;
  } finally {
    libcCalls.close(process);
  }
}

function socketsOf(pid: number): number[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder)
    .filter((name) => {
      try {
        return readlinkSync(`${folder}/${name}`).startsWith('socket:');
      } catch {
        return false; // It was closed since.
      }
    })
    .map(Number);
}

function raise(socket: number, bytes: number): void {
  for (const option of [SO_RCVBUFFORCE, SO_SNDBUFFORCE]) libcCalls.setsockopt(socket, SOL_SOCKET, option, int32(bytes), 4);
  libcCalls.close(socket);
}

function checked(answer: number, pid: number): number {
  if (answer < 0) throw new NetlinkError(errno(), `raise the socket buffers of process ${pid}`, `process ${pid}`);
  return answer;
}
