import { existsSync } from 'node:fs';
import { CodedError } from '@isthmus/core';
import { BPF_ATTACH, errnoOf } from './bpf-error.ts';
import { attachClsact, type DevicePoint, detachClsact } from './clsact.ts';
import { ensureLink, removeLink } from './link.ts';
import { AttachType, pinObject } from './syscall.ts';

const EINVAL = 22;

const ATTACH_TYPES: Readonly<Record<DevicePoint, number>> = { ingress: AttachType.tcxIngress, egress: AttachType.tcxEgress };

/** A program at a device's ingress or egress. */
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
  return attach(attachment, 'ingress');
}

/**
 * The same at the device's egress. Where there are no links the program itself is pinned beside the link's place, so that {@link detachEgress}
 * knows later whether the filter is ours.
 * @throws CodedError BPF_ATTACH
 */
export function attachEgress(attachment: DeviceAttachment): DeviceAttachResult {
  const how = attach(attachment, 'egress');
  if (how === 'clsact') {
    const pin = programPin(attachment.pin);
    removeLink(pin);
    pinObject(attachment.programFd, pin);
  }
  return how;
}

function attach({ programFd, ifindex, pin }: DeviceAttachment, point: DevicePoint): DeviceAttachResult {
  const sameTarget = (info: DataView): boolean => info.getUint32(0, true) === ifindex;
  try {
    return ensureLink({ programFd, target: ifindex, attachType: ATTACH_TYPES[point], pin, sameTarget });
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    if (errnoOf(cause) !== EINVAL) throw new CodedError(BPF_ATTACH, `cannot attach to device ${ifindex}`, { object: pin, cause });
  }
  attachClsact(ifindex, programFd, point);
  return 'clsact';
}

/** Detaches what {@link attachIngress} attached. Absent things are fine. `how` is what attaching answered. */
export function detachIngress(attachment: DeviceAttachment, how: DeviceAttachResult): void {
  if (how === 'clsact') detachClsact(attachment.ifindex, 'ingress');
  else removeLink(attachment.pin);
}

/** Detaches what {@link attachEgress} attached, by whichever agent and however it did. What is not there, and what is others', is left alone. */
export function detachEgress({ ifindex, pin }: Omit<DeviceAttachment, 'programFd'>): void {
  if (existsSync(programPin(pin))) {
    detachClsact(ifindex, 'egress');
    removeLink(programPin(pin));
  }
  removeLink(pin);
}

function programPin(pin: string): string {
  return `${pin}_clsact`;
}
