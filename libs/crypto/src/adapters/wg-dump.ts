import type { WireGuardDeviceState, WireGuardPeerState } from '../wireguard/wireguard-port.ts';

const TAB = 0x09;
const NEWLINE = 0x0a;
const HIDDEN = 0x2a;
const NONE = '(none)';

/**
 * Reads what `wg show <device> dump` prints: a line about the device, and one about each peer, in columns. The columns with keys that are secret are
 * overwritten in the bytes before any of it becomes a string.
 */
export function parseWgDump(output: Buffer): WireGuardDeviceState {
  const [device = [], ...peers] = linesOf(output).map((line, i) => columnsOf(line, i === 0 ? 0 : 1));
  const [, publicKey = NONE, listenPort = '0', mark = 'off'] = device;
  return {
    publicKey: publicKey === NONE ? undefined : publicKey,
    listenPort: Number(listenPort),
    mark: mark === 'off' ? 0 : Number(mark),
    peers: peers.map(peerOf),
  };
}

function peerOf(columns: readonly string[]): WireGuardPeerState {
  const [
    publicKey = '',
    presharedKey = NONE,
    endpoint = NONE,
    allowedIps = NONE,
    handshake = '0',
    received = '0',
    sent = '0',
    keepalive = 'off',
  ] = columns;
  return {
    publicKey,
    hasPresharedKey: presharedKey !== NONE,
    endpoint: endpoint === NONE ? undefined : endpoint,
    allowedIps: allowedIps === NONE ? [] : allowedIps.split(','),
    latestHandshake: Number(handshake),
    received: Number(received),
    sent: Number(sent),
    keepaliveSeconds: keepalive === 'off' ? 0 : Number(keepalive),
  };
}

function linesOf(output: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(NEWLINE, at);
    const stop = end < 0 ? output.length : end;
    lines.push(output.subarray(at, stop));
    at = stop + 1;
  }
  return lines;
}

/** @param secret number of the column that is hidden unless there is nothing in it */
function columnsOf(line: Buffer, secret: number): string[] {
  let from = 0;
  for (let column = 0; column < secret; column++) from = line.indexOf(TAB, from) + 1;
  const end = line.indexOf(TAB, from);
  const hidden = line.subarray(from, end < 0 ? line.length : end);
  if (!hidden.equals(Buffer.from(NONE))) hidden.fill(HIDDEN);
  return line.toString('latin1').split('\t');
}
