import koffi from 'koffi';
import { errno } from '../libc.ts';
import { SystemCallError } from './bpf-error.ts';

/** Commands of bpf(2) that libbpf 1.1 cannot give, or that need no library. */
export const BpfCommand = {
  objPin: 6,
  objGet: 7,
  objInfo: 15,
  progQuery: 16,
  btfGetFdById: 19,
  linkCreate: 28,
  linkUpdate: 29,
} as const;

/** Attach types of bpf(2). */
export const AttachType = {
  connect4: 10,
  connect6: 11,
  sendmsg4: 14,
  sendmsg6: 15,
  recvmsg4: 19,
  recvmsg6: 20,
  getpeername4: 29,
  getpeername6: 30,
  xdp: 37,
  tcxIngress: 46,
  tcxEgress: 47,
} as const;

const ATTR_BYTES = 64;
const INFO_BYTES = 256;
const numbers: Record<string, number> = { x64: 321, arm64: 280 };

type RawSyscall = (number: number, command: number, attr: Uint8Array, size: number) => number | bigint;
const libc = koffi.load('libc.so.6');
// Not declared variadic on purpose: koffi cannot tell the types then, and on x86-64 and arm64 Linux the calls are the same.
const rawSyscall = libc.func('long syscall(long number, long command, void *attr, long size)') as RawSyscall;

let held: readonly unknown[] = [];

/** Keeps memory from being collected while `fn` runs: C sees only its address. */
export function holding<T>(memory: readonly unknown[], fn: () => T): T {
  const outer = held;
  held = [outer, memory];
  try {
    return fn();
  } finally {
    held = outer;
  }
}

/**
 * bpf(2). Memory that the attribute points to must be held ({@link holding}).
 * @returns what the kernel answers, for most commands a descriptor
 * @throws SystemCallError
 */
export function bpf(command: number, attr: DataView): number {
  const number = numbers[process.arch];
  if (number === undefined) throw new Error(`bpf(2) has no known number on ${process.arch}`);
  const bytes = new Uint8Array(attr.buffer, attr.byteOffset, attr.byteLength);
  const result = Number(rawSyscall(number, command, bytes, bytes.length));
  if (result < 0) throw new SystemCallError('bpf', errno());
  return result;
}

/** A zeroed attribute. */
export function attribute(): DataView {
  return new DataView(new ArrayBuffer(ATTR_BYTES));
}

/** Pins what the descriptor stands for at a path on a bpffs mount. @throws SystemCallError */
export function pinObject(fd: number, path: string): void {
  const name = cString(path);
  const attr = attribute();
  attr.setBigUint64(0, koffi.address(name), true);
  attr.setUint32(8, fd, true);
  holding([name], () => bpf(BpfCommand.objPin, attr));
}

/** Opens a pin. The caller closes the descriptor. @throws SystemCallError (ENOENT: there is none) */
export function openPin(path: string): number {
  const name = cString(path);
  const attr = attribute();
  attr.setBigUint64(0, koffi.address(name), true);
  return holding([name], () => bpf(BpfCommand.objGet, attr));
}

/** `struct bpf_map_info`, `bpf_link_info` or `bpf_prog_info`, by what the descriptor is. @throws SystemCallError */
export function objectInfo(fd: number): DataView {
  const info = new Uint8Array(INFO_BYTES);
  const attr = attribute();
  attr.setUint32(0, fd, true);
  attr.setUint32(4, info.length, true);
  attr.setBigUint64(8, koffi.address(info), true);
  holding([info], () => bpf(BpfCommand.objInfo, attr));
  return new DataView(info.buffer);
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}
