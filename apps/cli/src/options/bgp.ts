import { parseCidr, parseIp } from '@isthmus/net';
import { InvalidArgumentError } from 'commander';

/** A router to speak BGP with. */
export interface BgpPeerOption {
  /** IPv4 or IPv6; a link-local one with its interface, `fe80::1%eth0`. */
  readonly address: string;
  /** 0: whatever the router says. */
  readonly asn: number;
}

/** What services or nodes are announced. */
export const BGP_ADVERTISEMENTS = ['pod-cidr', 'load-balancer'] as const;
/** One of {@link BGP_ADVERTISEMENTS}. */
export type BgpAdvertised = (typeof BGP_ADVERTISEMENTS)[number];

const MAX_ASN = 0xffff_ffff;

/** Reads an AS number of 32 bits that a node may have. @throws InvalidArgumentError */
export function parseAsn(text: string): number {
  const asn = numberOf(text);
  if (asn === undefined || asn === 0) throw new InvalidArgumentError(`Write a number from 1 to ${MAX_ASN}.`);
  return asn;
}

/** Reads `<address>,<asn>`, one more of the routers that were named. @throws InvalidArgumentError */
export function collectPeer(text: string, before: readonly BgpPeerOption[] | undefined): BgpPeerOption[] {
  const comma = text.lastIndexOf(',');
  const [address, asn] = [text.slice(0, Math.max(comma, 0)), numberOf(text.slice(comma + 1))];
  if (!isPeerAddress(address) || asn === undefined) throw new InvalidArgumentError('Write it as 192.0.2.1,65101 or fd00::1,65101.');
  if (before?.some((each) => each.address === address)) throw new InvalidArgumentError('This router was named already.');
  return [...(before ?? []), { address, asn }];
}

/** Reads an IPv4 address. @throws InvalidArgumentError */
export function parseRouterId(text: string): string {
  if (parseIp(text)?.family !== 4 || text === '0.0.0.0') throw new InvalidArgumentError('Write an IPv4 address that no other router has.');
  return text;
}

/** Makes a reader of networks of a family. */
export function networkParser(family: 4 | 6): (text: string) => string {
  return (text) => {
    if (parseCidr(text)?.family === family) return text;
    throw new InvalidArgumentError(`Write an IPv${family} network, such as ${family === 4 ? '192.0.2.0/24' : '2001:db8::/112'}.`);
  };
}

/** Reads a list with commas. @throws InvalidArgumentError */
export function parseAdvertised(text: string): BgpAdvertised[] {
  const words = [...new Set(text.split(','))];
  const known = words.filter((word): word is BgpAdvertised => (BGP_ADVERTISEMENTS as readonly string[]).includes(word));
  if (known.length < words.length) throw new InvalidArgumentError(`Write ${BGP_ADVERTISEMENTS.join(', ')}, or both with a comma.`);
  return known;
}

/** Reads `key=value[,key=value]`. @throws InvalidArgumentError */
export function parseLabels(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => pair.split('='));
  if (pairs.some((pair) => pair.length !== 2 || pair[0] === '')) throw new InvalidArgumentError('Write it as key=value,key=value.');
  return Object.fromEntries(pairs);
}

function numberOf(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) <= MAX_ASN ? Number(text) : undefined;
}

function isPeerAddress(text: string): boolean {
  const [address = '', zone, ...more] = text.split('%');
  const family = parseIp(address)?.family;
  return more.length === 0 && (zone === undefined ? family !== undefined : family === 6 && zone !== '');
}
