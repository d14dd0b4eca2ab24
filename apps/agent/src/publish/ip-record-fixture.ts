import { encodeIp } from '@isthmus/mesh';

/** What an agent publishes of a pod's address. */
export function ipRecord(ip: string, identity: number, hostIp = '172.30.1.1'): string {
  const pod = { namespace: 'n', podName: 'p', podUid: '', serviceAccount: '', namedPorts: [] };
  return encodeIp({ ip, hostIp, identity, encryptionKey: 0, ...pod });
}
