import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { pinnedCa } from '../pki/ca-bundle.ts';

/**
 * Asks a server for its certificates and returns the pinned CA among them. Nothing is sent on this connection and nothing else is believed:
 * the caller makes a new one that is verified against the CA.
 * @throws CodedError CA_PIN_MISMATCH; Error when nobody answers
 */
export async function fetchPinnedCa(endpoint: string, pin: string, timeoutMs: number): Promise<string> {
  const url = new URL(endpoint);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const socket = connect({ host, port: Number(url.port || 443), rejectUnauthorized: false });
  try {
    await secured(socket, timeoutMs);
    return pinnedCa(chainOf(socket).join(''), pin, endpoint);
  } finally {
    socket.destroy();
  }
}

function secured(socket: TLSSocket, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
    socket.setTimeout(timeoutMs, () => reject(new Error('timeout')));
  });
}

/** Certificates that the server showed, leaf first. The root of a complete chain names itself as its issuer. */
function chainOf(socket: TLSSocket): string[] {
  const chain: string[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  const seen = new Set<string>();
  while (next?.raw && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256);
    chain.push(`-----BEGIN CERTIFICATE-----\n${next.raw.toString('base64')}\n-----END CERTIFICATE-----\n`);
    next = next.issuerCertificate;
  }
  return chain;
}
