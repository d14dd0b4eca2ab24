import { CodedError } from '@isthmus/core';
import { BPF_ATTACH, BPF_XDP_TAKEN, errnoOf } from './bpf-error.ts';
import { ensureLink, removeLink } from './link.ts';
import { AttachType } from './syscall.ts';

const EBUSY = 16;
const EEXIST = 17;

/** Where the program runs: in the driver before the kernel makes a packet of a frame, or behind that, which every device can. */
export type XdpMode = 'native' | 'generic';

/** Flags of a link (linux/if_link.h), and what its pin's name ends in. */
const MODES: readonly { readonly mode: XdpMode; readonly flags: number }[] = [
  { mode: 'native', flags: 1 << 2 },
  { mode: 'generic', flags: 1 << 1 },
];

/** An XDP program at a device. */
export interface XdpAttachment {
  programFd: number;
  /** Index in the network namespace that the calling thread is in. */
  ifindex: number;
  /** Path on a bpffs mount for the link's pin; the mode is added to it. */
  pin: string;
}

/**
 * Attaches at the device, or swaps the program in place when it is attached already: natively where its driver can, generically elsewhere.
 *
 * Call it inside the device's network namespace.
 * @returns the mode that it runs in
 * @throws CodedError BPF_ATTACH, BPF_XDP_TAKEN
 */
export function attachXdp({ programFd, ifindex, pin }: XdpAttachment): XdpMode {
  const sameTarget = (info: DataView): boolean => info.getUint32(0, true) === ifindex;
  const causes: unknown[] = [];
  for (const { mode, flags } of MODES) {
    try {
      ensureLink({ programFd, target: ifindex, attachType: AttachType.xdp, flags, pin: `${pin}_${mode}`, sameTarget });
      return mode;
    } catch (cause) {
      if (cause instanceof CodedError) throw cause;
      causes.push(cause);
    }
  }
  throw notAttached(ifindex, pin, causes);
}

/** Detaches what {@link attachXdp} attached, in whichever mode. Absent things are fine. */
export function detachXdp(pin: string): void {
  for (const { mode } of MODES) removeLink(`${pin}_${mode}`);
}

/** Every device has a place for a generic program, unless another one, of either mode, is attached. */
function notAttached(ifindex: number, pin: string, causes: readonly unknown[]): CodedError {
  const cause = new AggregateError(causes, causes.map(String).join('; '));
  const taken = causes.some((each) => [EBUSY, EEXIST].includes(errnoOf(each)));
  if (taken) return new CodedError(BPF_XDP_TAKEN, `device ${ifindex} has an XDP program already`, { object: `device ${ifindex}`, cause });
  return new CodedError(BPF_ATTACH, `cannot attach an XDP program to device ${ifindex}: ${cause.message}`, { object: pin, cause });
}
