import { CodedError } from '@isthmus/core';
import { BPF_ATTACH, errnoOf } from './bpf-error.ts';
import { attachClsact, detachClsact } from './clsact.ts';
import { ensureLink, removeLink } from './link.ts';
import { AttachType } from './syscall.ts';

const EINVAL = 22;

/** A program at a device's ingress. */
export interface DeviceAttachment {
  programFd: number;
  /** Index in the network namespace that the calling thread is in. */
  ifindex: number;
  /** Path on a bpffs mount for the link's pin; unused where the kernel has no such links. */
  pin: string;
}

/** How a program came to be attached. */
export type DeviceAttachResult = 'created' | 'updated' | 'clsact';

/**
 * Attaches at the device's ingress, or swaps the program in place when it is attached already. Kernels before 6.6 have no TCX links:
 * there it goes to the clsact qdisc, which lives and dies with the device.
 *
 * Call it inside the device's network namespace.
 * @throws CodedError BPF_ATTACH
 */
export function attachIngress(attachment: DeviceAttachment): DeviceAttachResult {
  const { programFd, ifindex, pin } = attachment;
  const sameTarget = (info: DataView): boolean => info.getUint32(0, true) === ifindex;
  try {
    return ensureLink({ programFd, target: ifindex, attachType: AttachType.tcxIngress, pin, sameTarget });
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    if (errnoOf(cause) !== EINVAL) throw new CodedError(BPF_ATTACH, `cannot attach to device ${ifindex}`, { object: pin, cause });
  }
  attachClsact(ifindex, programFd);
  return 'clsact';
}

/** Detaches what {@link attachIngress} attached. Absent things are fine. `how` is what attaching answered. */
export function detachIngress(attachment: DeviceAttachment, how: DeviceAttachResult): void {
  if (how === 'clsact') detachClsact(attachment.ifindex);
  else removeLink(attachment.pin);
}
