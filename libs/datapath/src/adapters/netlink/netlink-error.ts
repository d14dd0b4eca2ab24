import { CodedError, defineError, type ErrorCode } from '@isthmus/core';
import { errnoName } from '../errno-name.ts';

/** Raised when this process may not change the network. */
export const NETLINK_DENIED = defineError(
  'NETLINK_DENIED',
  'The kernel refused a change of the network for lack of privilege',
  'Run as root, or with CAP_NET_ADMIN in the network namespace',
);

/** Raised when a change names a device, a route or a namespace that is not there. */
export const NETLINK_ABSENT = defineError(
  'NETLINK_ABSENT',
  'A change of the network names something that does not exist',
  'Check with `ip link` that the device is there; it is created again at the next reconciliation',
);

/** Raised when something of the same name exists and differs from what is wanted. */
export const NETLINK_CONFLICT = defineError(
  'NETLINK_CONFLICT',
  'Something of the same name exists in the network and differs from what is wanted',
  'Find out with `ip -d link` who made it; delete it if nobody needs it',
);

/** Raised when the kernel lacks what a change needs. */
export const NETLINK_UNSUPPORTED = defineError(
  'NETLINK_UNSUPPORTED',
  'This kernel cannot do what was asked of it',
  'Load the kernel module of that device type, or use a kernel that has it; `isthmus preflight` lists what is missing',
);

/** Raised when a tunnel's UDP port belongs to somebody else. */
export const NETLINK_PORT_TAKEN = defineError(
  'NETLINK_PORT_TAKEN',
  'The UDP port of a tunnel device is in use',
  'Find its owner with `ss -ulpn` or `ip -d link`, or configure another tunnel-port on all nodes',
);

/** Raised for every other refusal of the kernel. */
export const NETLINK_REFUSED = defineError(
  'NETLINK_REFUSED',
  'The kernel refused a change of the network',
  'See the errno and the kernel’s own words in the message',
);

const KINDS: Readonly<Record<string, ErrorCode>> = {
  EPERM: NETLINK_DENIED,
  EACCES: NETLINK_DENIED,
  ENODEV: NETLINK_ABSENT,
  ENOENT: NETLINK_ABSENT,
  ESRCH: NETLINK_ABSENT,
  EADDRNOTAVAIL: NETLINK_ABSENT,
  EEXIST: NETLINK_CONFLICT,
  ENOTSUP: NETLINK_UNSUPPORTED, // Node's name for EOPNOTSUPP, the same number
  EPROTONOSUPPORT: NETLINK_UNSUPPORTED,
  EADDRINUSE: NETLINK_PORT_TAKEN,
};

/** A refusal of the kernel: which request, about what, and why. */
export class NetlinkError extends CodedError {
  /** Name of the kernel's error number, such as `ENODEV`. */
  readonly errno: string;

  /**
   * @param errno the kernel's number, either sign
   * @param what what was asked, such as `create link isth0`; becomes part of the message
   * @param object name of the thing that it was about
   * @param words the kernel's own explanation, where it gave one
   */
  constructor(errno: number, what: string, object: string, words?: string) {
    const name = errnoName(errno);
    super(KINDS[name] ?? NETLINK_REFUSED, `cannot ${what}: ${name}${words ? ` (${words})` : ''}`, { object });
    this.errno = name;
  }
}
