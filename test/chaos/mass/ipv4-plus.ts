import { parseIp } from '@isthmus/net';

/** The IPv4 address so many further on. */
export function ipv4Plus(ip: string, by: number): string {
  const bytes = parseIp(ip)?.bytes.slice();
  if (bytes?.length !== 4) throw new Error(`${ip} is no IPv4 address`);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, view.getUint32(0) + by);
  return bytes.join('.');
}
