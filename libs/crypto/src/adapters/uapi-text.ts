import { secretFromHex } from '../wireguard/secret-hex.ts';
import { publicKeyOf } from '../wireguard/wireguard-key.ts';
import type { WireGuardDeviceState, WireGuardPeerState } from '../wireguard/wireguard-port.ts';

// The text that userspace implementations of WireGuard speak on their sockets: https://www.wireguard.com/xplatform/#configuration-protocol

const [NEWLINE, EQUALS, ZERO] = [0x0a, 0x3d, 0x30];

/** An answer to `get`, or to `set`, which has only the number. */
export interface UapiAnswer {
  /** 0: done. */
  readonly errno: number;
  readonly state: WireGuardDeviceState;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Peer extends Mutable<Omit<WireGuardPeerState, 'allowedIps'>> {
  readonly allowedIps: string[];
}
type State = Mutable<Omit<WireGuardDeviceState, 'peers'>> & { readonly peers: Peer[] };
interface Answer {
  errno: number;
  readonly state: State;
}
/** Numbers by their names on the wire. What is not named here nobody wants to know. */
const DEVICE_NUMBERS: ReadonlyMap<string, 'listenPort' | 'mark'> = new Map([
  ['listen_port', 'listenPort'],
  ['fwmark', 'mark'],
]);
const PEER_NUMBERS: ReadonlyMap<string, 'latestHandshake' | 'received' | 'sent' | 'keepaliveSeconds'> = new Map([
  ['last_handshake_time_sec', 'latestHandshake'],
  ['rx_bytes', 'received'],
  ['tx_bytes', 'sent'],
  ['persistent_keepalive_interval', 'keepaliveSeconds'],
]);

/**
 * Reads an answer up to the empty line. Secrets are overwritten in its bytes before any of it becomes a string.
 * @returns undefined when it does not say how it went: whoever answered has died over it
 */
export function parseUapiAnswer(bytes: Buffer): UapiAnswer | undefined {
  const answer: Answer = { errno: Number.NaN, state: { publicKey: undefined, listenPort: 0, mark: 0, peers: [] } };
  for (let at = 0; at < bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, at);
    const end = found < 0 ? bytes.length : found;
    readLine(answer, bytes.subarray(at, end));
    at = end + 1;
  }
  return Number.isNaN(answer.errno) ? undefined : answer;
}

function readLine(answer: Answer, line: Buffer): void {
  const at = line.indexOf(EQUALS);
  if (at < 0) return;
  const { state } = answer;
  const [name, value] = [line.toString('latin1', 0, at), line.subarray(at + 1)];
  const peer = state.peers.at(-1);
  if (name === 'private_key') state.publicKey = takePublicKey(value);
  else if (name === 'preshared_key') {
    const hasPresharedKey = takeIsSet(value);
    if (peer) peer.hasPresharedKey = hasPresharedKey;
  } else readPublic(answer, name, value.toString('latin1'));
}

/** A field that is no secret: of the peer that was named last, unless it is the device's. */
function readPublic(answer: Answer, name: string, value: string): void {
  const { peers } = answer.state;
  const number = DEVICE_NUMBERS.get(name);
  if (name === 'errno') answer.errno = Number(value);
  else if (number !== undefined) answer.state[number] = Number(value);
  else if (name === 'public_key') peers.push(newPeer(value));
  else if (peers.length > 0) readOfPeer(peers.at(-1)!, name, value);
}

function readOfPeer(peer: Peer, name: string, value: string): void {
  const number = PEER_NUMBERS.get(name);
  if (number !== undefined) peer[number] = Number(value);
  else if (name === 'endpoint') peer.endpoint = value;
  else if (name === 'allowed_ip') peer.allowedIps.push(value);
}

function newPeer(hex: string): Peer {
  const publicKey = Buffer.from(hex, 'hex').toString('base64');
  const nothing = { hasPresharedKey: false, endpoint: undefined, latestHandshake: 0, received: 0, sent: 0, keepaliveSeconds: 0 };
  return { publicKey, ...nothing, allowedIps: [] };
}

/** The public half of a private key, which is overwritten; undefined for the one of zeros, which stands for none. */
function takePublicKey(hex: Buffer): string | undefined {
  if (!isSet(hex)) return undefined;
  const secret = secretFromHex(hex);
  hex.fill(ZERO);
  if (secret === undefined) return undefined;
  const publicKey = publicKeyOf(secret);
  secret.fill(0);
  return publicKey;
}

/** Whether there is a secret, which is overwritten. */
function takeIsSet(hex: Buffer): boolean {
  const set = isSet(hex);
  hex.fill(ZERO);
  return set;
}

function isSet(hex: Buffer): boolean {
  return hex.some((digit) => digit !== ZERO);
}
