import { rmSync } from 'node:fs';
import { CodedError } from '@isthmus/core';
import { libcCalls } from '../libc.ts';
import { BPF_ATTACH, errnoOf } from './bpf-error.ts';
import { attribute, BpfCommand, bpf, objectInfo, openPin, pinObject } from './syscall.ts';

const ENOENT = 2;
const ENOLINK = 67;
/** Where the kind's own part begins in `struct bpf_link_info`. */
const INFO_TARGET = 16;

/** What a link joins: which program, where, and where its pin lies. */
export interface LinkSpec {
  programFd: number;
  /** Device index, or descriptor of a cgroup folder. */
  target: number;
  attachType: number;
  /** By kind of link; 0 unless given. */
  flags?: number;
  /** Path on a bpffs mount: a link without a pin would end with the process. */
  pin: string;
  /** Whether a pinned link joins the same target still: gets its info from {@link INFO_TARGET} on. */
  sameTarget: (info: DataView) => boolean;
}

/**
 * Makes the pinned link run this program: swaps it in place without a gap where the link is there, makes and pins a new one where it
 * is not, or where the old one's device or cgroup is gone.
 * @returns whether the link was created, or only updated
 * @throws SystemCallError when the kernel refuses (EINVAL: this kind of link is unknown to it)
 */
export function ensureLink(spec: LinkSpec): 'created' | 'updated' {
  if (updatePinned(spec)) return 'updated';
  createPinned(spec);
  return 'created';
}

/** Detaches by removing the pin: the link ends with its last reference. An absent pin is fine. */
export function removeLink(pin: string): void {
  rmSync(pin, { force: true });
}

function updatePinned(spec: LinkSpec): boolean {
  const fd = openOrUndefined(spec.pin);
  if (fd === undefined) return false;
  try {
    if (spec.sameTarget(targetInfo(fd)) && update(fd, spec.programFd)) return true;
  } finally {
    libcCalls.close(fd);
  }
  removeLink(spec.pin);
  return false;
}

function openOrUndefined(pin: string): number | undefined {
  try {
    return openPin(pin);
  } catch (error) {
    if (errnoOf(error) === ENOENT) return undefined;
    throw new CodedError(BPF_ATTACH, `cannot open the link pinned at ${pin}`, { object: pin, cause: error });
  }
}

function targetInfo(fd: number): DataView {
  const info = objectInfo(fd);
  return new DataView(info.buffer, INFO_TARGET);
}

/** False when what the link was attached to is gone. */
function update(fd: number, programFd: number): boolean {
  const attr = attribute();
  attr.setUint32(0, fd, true);
  attr.setUint32(4, programFd, true);
  try {
    bpf(BpfCommand.linkUpdate, attr);
    return true;
  } catch (error) {
    if (errnoOf(error) === ENOLINK) return false;
    throw error;
  }
}

function createPinned(spec: LinkSpec): void {
  const attr = attribute();
  attr.setUint32(0, spec.programFd, true);
  attr.setUint32(4, spec.target, true);
  attr.setUint32(8, spec.attachType, true);
  attr.setUint32(12, spec.flags ?? 0, true);
  const fd = bpf(BpfCommand.linkCreate, attr);
  try {
    pinObject(fd, spec.pin);
  } catch (cause) {
    throw new CodedError(BPF_ATTACH, `cannot pin a link at ${spec.pin}`, { object: spec.pin, cause });
  } finally {
    libcCalls.close(fd);
  }
}
