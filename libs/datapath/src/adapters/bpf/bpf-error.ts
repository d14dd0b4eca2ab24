import { CodedError, defineError } from '@isthmus/core';
import { errnoName } from '../errno-name.ts';

/** Raised when the library that loads programs is missing on this machine. */
export const LIBBPF_MISSING = defineError(
  'LIBBPF_MISSING',
  'libbpf.so.1 could not be loaded',
  'Install the package libbpf1 (or the one that holds libbpf.so.1)',
);

/** Raised when a compiled object cannot be opened or lacks a program or map that it should hold. */
export const BPF_OBJECT = defineError('BPF_OBJECT', 'A compiled BPF object is missing or damaged', 'Build it again with scripts/build-bpf');

/** Raised when the kernel does not accept a program; the message holds the verifier's text. */
export const BPF_LOAD = defineError(
  'BPF_LOAD',
  'The kernel refused to load a BPF object',
  'Run as root on Linux 6.1 or newer; otherwise report the text of the verifier',
);

/** Raised when a pinned map has another layout than the object wants. */
export const BPF_MAP_LAYOUT = defineError(
  'BPF_MAP_LAYOUT',
  'A pinned map was made by another version and does not fit',
  'Migrate the map, or stop the agent and remove its pin if its content may be lost',
);

/** Raised when a map operation fails for a reason of its own. */
export const BPF_MAP = defineError('BPF_MAP', 'An operation on a BPF map failed', 'See the cause; the row stays wanted and is tried again');

/** Raised when a map has no room for another row. */
export const BPF_MAP_FULL = defineError(
  'BPF_MAP_FULL',
  'A BPF map has reached its number of entries',
  'Raise the limit of the named map, or reduce what goes into it; the rows that are there keep working',
);

/** Raised when a program cannot be attached, replaced or pinned. */
export const BPF_ATTACH = defineError(
  'BPF_ATTACH',
  'A BPF program could not be attached',
  'Run as root, and check that the device or cgroup exists and that the pin folder is on a bpffs mount',
);

/** Raised when somebody else has the one place that a device has for an XDP program. */
export const BPF_XDP_TAKEN = defineError(
  'BPF_XDP_TAKEN',
  'Another XDP program is attached to a device that GENEVE must be decapsulated on',
  'Detach it (`ip link show` names it, `ip link set dev <device> xdp off` takes it off), load the geneve module of the kernel, or set tunnel-protocol to vxlan',
);

/** Raised when the event ring cannot be mapped. */
export const BPF_RING = defineError('BPF_RING', 'The event ring could not be mapped', 'Run as root, or with CAP_BPF and CAP_PERFMON');

/** A failed system call: which one, its number, its name. Stands below coded errors as their cause. */
export class SystemCallError extends Error {
  readonly errno: number;

  constructor(call: string, errno: number) {
    super(`${call}: ${errnoName(errno)}`);
    this.errno = Math.abs(errno);
  }
}

/** The number of the system call under a coded error; 0 when there is none. */
export function errnoOf(error: unknown): number {
  if (error instanceof SystemCallError) return error.errno;
  return error instanceof CodedError ? errnoOf(error.cause) : 0;
}
