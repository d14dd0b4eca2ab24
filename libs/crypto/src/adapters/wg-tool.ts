import { execFile } from 'node:child_process';
import { CodedError } from '@isthmus/core';
import { WIREGUARD_DEVICE } from '../wireguard/wireguard.errors.ts';
import type {
  WireGuardDeviceSettings,
  WireGuardDeviceState,
  WireGuardKeepalive,
  WireGuardPeer,
  WireGuardPort,
} from '../wireguard/wireguard-port.ts';
import { parseWgDump } from './wg-dump.ts';

/** Peers of one command line: with its networks each is a few hundred bytes of what the kernel takes. */
const PEERS_PER_CALL = 100;
const MAX_OUTPUT = 64 * 1024 * 1024;
/** What `wg` says of a device that is not there. */
const NO_DEVICE = /No such device|Unable to access interface/;

/** Runs a program. @returns what it printed @throws Error with `stderr` */
export type RunProgram = (program: string, words: readonly string[]) => Promise<Buffer>;

/** WireGuard devices by way of `wg`, many peers at a time: one call for each would take a mesh of a thousand nodes half a minute. Keys go in files. */
export class WgTool implements WireGuardPort {
  readonly #run: RunProgram;

  /** @param run the machine's own programs unless given */
  constructor(run: RunProgram = runHere) {
    this.#run = run;
  }

  async show(device: string): Promise<WireGuardDeviceState | undefined> {
    try {
      return parseWgDump(await this.#run('wg', ['show', device, 'dump']));
    } catch (error) {
      if (NO_DEVICE.test(stderrOf(error))) return undefined;
      throw refused(device, error);
    }
  }

  setUp(device: string, { privateKeyFile, listenPort, mark }: WireGuardDeviceSettings): Promise<void> {
    return this.#set(device, ['private-key', privateKeyFile, 'listen-port', String(listenPort), 'fwmark', `0x${mark.toString(16)}`]);
  }

  async putPeers(device: string, peers: readonly WireGuardPeer[]): Promise<void> {
    for (const some of inParts(peers)) await this.#set(device, some.flatMap(peerWords));
  }

  async setKeepalive(device: string, peers: readonly WireGuardKeepalive[]): Promise<void> {
    for (const some of inParts(peers))
      await this.#set(
        device,
        some.flatMap(({ publicKey, keepaliveSeconds, presharedKeyFile }) => [
          ...['peer', publicKey],
          ...(presharedKeyFile === undefined ? [] : ['preshared-key', presharedKeyFile]),
          ...['persistent-keepalive', String(keepaliveSeconds)],
        ]),
      );
  }

  async removePeers(device: string, publicKeys: readonly string[]): Promise<void> {
    for (const some of inParts(publicKeys))
      await this.#set(
        device,
        some.flatMap((key) => ['peer', key, 'remove']),
      );
  }

  async clear(device: string): Promise<void> {
    const state = await this.show(device);
    if (state === undefined) return;
    await this.removePeers(
      device,
      state.peers.map(({ publicKey }) => publicKey),
    );
    await this.#set(device, ['private-key', '/dev/null']);
  }

  async #set(device: string, words: readonly string[]): Promise<void> {
    try {
      await this.#run('wg', ['set', device, ...words]);
    } catch (error) {
      throw refused(device, error);
    }
  }
}

function peerWords({ publicKey, endpoint, allowedIps, presharedKeyFile, keepaliveSeconds }: WireGuardPeer): string[] {
  const { address, port } = endpoint;
  return [
    ...['peer', publicKey],
    // An empty file takes one away that was there.
    ...['preshared-key', presharedKeyFile ?? '/dev/null'],
    ...['endpoint', address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`],
    ...['persistent-keepalive', String(keepaliveSeconds)],
    ...['allowed-ips', allowedIps.join(',')],
  ];
}

function* inParts<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += PEERS_PER_CALL) yield all.slice(at, at + PEERS_PER_CALL);
}

function refused(device: string, cause: unknown): CodedError {
  const said = stderrOf(cause).trim();
  return new CodedError(WIREGUARD_DEVICE, `wg refuses ${device}: ${said || 'it says nothing'}`, { object: device, cause });
}

function stderrOf(error: unknown): string {
  const { stderr, message, code } = error as { stderr?: unknown; message?: string; code?: unknown };
  if (code === 'ENOENT') return 'wg is not on the path';
  return String(stderr || message || '');
}

function runHere(program: string, words: readonly string[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    execFile(program, words, { encoding: 'buffer', maxBuffer: MAX_OUTPUT }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(Object.assign(error, { stderr: stderr.toString() }));
    });
  });
}
