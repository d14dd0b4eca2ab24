import { type Cidr, hostCidr, type Ip, parseCidr, parseIp } from '@isthmus/net';
import { type RecordContext, reject } from './decode-result.ts';

/** Rejects pods that the cluster may not have there. @param text canonical address or network; `''` is none */
export function checkPods(text: string, { addresses }: RecordContext): void {
  if (addresses === undefined || text === '') return;
  const network = text.includes('/') ? (parseCidr(text) as Cidr) : hostCidr(parseIp(text) as Ip);
  refuse(text, addresses.pods(network));
}

/** Rejects the address of a node or a server that the cluster may not name. @param ip canonical */
export function checkOther(ip: string, { addresses }: RecordContext): void {
  if (addresses !== undefined) refuse(ip, addresses.other(parseIp(ip) as Ip));
}

function refuse(text: string, problem: string | undefined): void {
  if (problem !== undefined) reject('foreign-network', `${text}: ${problem}`);
}
