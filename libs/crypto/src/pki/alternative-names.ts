import { Ip, parseIp } from '@isthmus/net';
import { contextTag, der, derElements, TAG } from './der.ts';

/** Alternative names of a subject, by kind. Addresses in canonical text. */
export interface AlternativeNames {
  dns: string[];
  ips: string[];
  uris: string[];
}

const DNS = contextTag(2);
const URI = contextTag(6);
const IP = contextTag(7);

/** Reads a SubjectAltName (RFC 5280 §4.2.1.6); names of other kinds are passed over. @throws RangeError when it is none */
export function decodeAlternativeNames(bytes: Uint8Array): AlternativeNames {
  const names: AlternativeNames = { dns: [], ips: [], uris: [] };
  for (const { tag, content } of derElements(derElements(bytes)[0]?.content ?? bytes)) {
    if (tag === DNS) names.dns.push(textOf(content));
    if (tag === URI) names.uris.push(textOf(content));
    if (tag === IP) names.ips.push(new Ip(content.length === 4 ? 4 : 6, content).toString());
  }
  return names;
}

/** Writes a SubjectAltName. @throws RangeError naming an address that is none */
export function encodeAlternativeNames({ dns, ips, uris }: Readonly<Record<keyof AlternativeNames, readonly string[]>>): Uint8Array {
  return der(
    TAG.sequence,
    ...dns.map((name) => der(DNS, Buffer.from(name, 'latin1'))),
    ...ips.map((text) => der(IP, bytesOf(text))),
    ...uris.map((uri) => der(URI, Buffer.from(uri, 'latin1'))),
  );
}

function textOf(content: Uint8Array): string {
  return Buffer.from(content).toString('latin1');
}

function bytesOf(text: string): Uint8Array {
  const ip = parseIp(text);
  if (ip) return ip.bytes;
  throw new RangeError(`${text} is no IP address`);
}
