import type { Lab } from '../lab.ts';
import type { Place } from '../topology/plan.ts';

/** How to ping. */
export interface PingOptions {
  /** Bytes of payload; the IP and ICMP headers come on top. */
  readonly size?: number;
  /** Seconds to wait for the answer. */
  readonly timeoutS?: number;
  /** The device to leave by; what the routes say unless given. */
  readonly device?: string;
}

/** Sends one echo request that must not be fragmented, and tells whether the answer came. */
export async function ping(lab: Lab, from: Place, address: string, options: PingOptions = {}): Promise<boolean> {
  const { size = 56, timeoutS = 2, device } = options;
  const argv = [
    'ping',
    '-n',
    '-q',
    '-c',
    '1',
    '-W',
    String(timeoutS),
    '-M',
    'do',
    '-s',
    String(size),
    ...(device === undefined ? [] : ['-I', device]),
    address,
  ];
  return (await lab.exec(from, argv)).status === 0;
}
