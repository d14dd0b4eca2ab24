import { readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { CodedError, messageOf } from '@isthmus/core';
import { secretFromBase64 } from '../wireguard/secret-base64.ts';
import { secretToHex } from '../wireguard/secret-hex.ts';
import { WIREGUARD_DEVICE } from '../wireguard/wireguard.errors.ts';
import type {
  WireGuardDeviceSettings,
  WireGuardDeviceState,
  WireGuardKeepalive,
  WireGuardPeer,
  WireGuardPort,
} from '../wireguard/wireguard-port.ts';
import { parseUapiAnswer } from './uapi-text.ts';

/** Where daemons have a socket for each device that they serve. */
export const WIREGUARD_SOCKETS = '/var/run/wireguard';
/** A daemon that says nothing for so long hangs. */
const SILENCE_MS = 30_000;
/** Who was killed leaves its socket behind. */
const NOBODY = new Set(['ENOENT', 'ECONNREFUSED']);
const NO_SECRET = '0'.repeat(64);
const END = Buffer.from('\n\n');

/** Of a request, in order: buffers are secrets, which are cleared once they have been sent. */
type Parts = (string | Buffer)[];

/**
 * WireGuard devices that a daemon serves, by way of its socket: nothing has to be started for a look or a change, and of any number of peers each is one
 * exchange. Secrets are read from their files into bytes that are cleared.
 */
export class UapiWireGuard implements WireGuardPort {
  readonly #folder: string;

  /** @param folder of the sockets */
  constructor(folder: string = WIREGUARD_SOCKETS) {
    this.#folder = folder;
  }

  async show(device: string): Promise<WireGuardDeviceState | undefined> {
    try {
      return await this.#ask(device, ['get=1\n']);
    } catch (error) {
      if (NOBODY.has(String((error as NodeJS.ErrnoException).code))) return undefined;
      throw refused(device, error);
    }
  }

  async setUp(device: string, { privateKeyFile, listenPort, mark }: WireGuardDeviceSettings): Promise<void> {
    await this.#set(device, async (parts) => {
      parts.push('private_key=', await readSecret(privateKeyFile), `\nlisten_port=${listenPort}\nfwmark=${mark}\n`);
    });
  }

  async putPeers(device: string, peers: readonly WireGuardPeer[]): Promise<void> {
    await this.#set(device, async (parts) => {
      for (const peer of peers) await addPeer(parts, peer);
    });
  }

  async setKeepalive(device: string, peers: readonly WireGuardKeepalive[]): Promise<void> {
    await this.#set(device, async (parts) => {
      for (const peer of peers) await addKeepalive(parts, peer);
    });
  }

  async removePeers(device: string, publicKeys: readonly string[]): Promise<void> {
    await this.#set(device, async (parts) => {
      for (const key of publicKeys) parts.push(`public_key=${hexOf(key)}\nremove=true\n`);
    });
  }

  async clear(device: string): Promise<void> {
    if ((await this.show(device)) === undefined) return;
    await this.#set(device, async (parts) => {
      parts.push(`private_key=${NO_SECRET}\nreplace_peers=true\n`);
    });
  }

  async #set(device: string, add: (parts: Parts) => Promise<void>): Promise<void> {
    const parts: Parts = ['set=1\n'];
    try {
      await add(parts);
      await this.#ask(device, parts);
    } catch (error) {
      throw refused(device, error);
    } finally {
      for (const part of parts) if (typeof part !== 'string') part.fill(0);
    }
  }

  async #ask(device: string, parts: Parts): Promise<WireGuardDeviceState> {
    const request = Buffer.concat([...parts, '\n'].map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
    let answer: Buffer | undefined;
    try {
      answer = await exchange(this.#path(device), request);
      const read = parseUapiAnswer(answer);
      if (read === undefined) throw new Error('its daemon ends in the middle of an answer');
      if (read.errno !== 0) throw new Error(`its daemon answers errno ${read.errno}`);
      return read.state;
    } finally {
      request.fill(0);
      answer?.fill(0);
    }
  }

  #path(device: string): string {
    return join(this.#folder, `${device}.sock`);
  }
}

/** @returns all up to the empty line; what there was, when it was hung up before */
function exchange(path: string, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = createConnection(path, () => socket.write(request));
    const done = (): void => {
      socket.destroy();
      resolve(joined(chunks));
    };
    socket.setTimeout(SILENCE_MS, () => socket.destroy(new Error(`its daemon says nothing for ${SILENCE_MS / 1000} s`)));
    socket.on('data', (chunk) => {
      chunks.push(chunk as Buffer);
      if (isWhole(chunks)) done();
    });
    socket.on('end', done);
    socket.on('error', reject);
  });
}

function isWhole(chunks: readonly Buffer[]): boolean {
  const last = chunks.at(-1)!;
  const end = last.length >= END.length ? last.subarray(-END.length) : Buffer.concat(chunks.slice(-END.length)).subarray(-END.length);
  return end.equals(END);
}

/** The chunks in one; they are cleared. */
function joined(chunks: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(chunks);
  for (const chunk of chunks) chunk.fill(0);
  return whole;
}

async function addPeer(parts: Parts, peer: WireGuardPeer): Promise<void> {
  const { publicKey, endpoint, allowedIps, presharedKeyFile, keepaliveSeconds } = peer;
  const { address, port } = endpoint;
  parts.push(`public_key=${hexOf(publicKey)}\npreshared_key=`);
  parts.push(presharedKeyFile === undefined ? NO_SECRET : await readSecret(presharedKeyFile));
  parts.push(`\nendpoint=${address.includes(':') ? `[${address}]` : address}:${port}\n`);
  parts.push(`persistent_keepalive_interval=${keepaliveSeconds}\nreplace_allowed_ips=true\n`);
  for (const network of allowedIps) parts.push(`allowed_ip=${network}\n`);
}

async function addKeepalive(parts: Parts, { publicKey, keepaliveSeconds, presharedKeyFile }: WireGuardKeepalive): Promise<void> {
  parts.push(`public_key=${hexOf(publicKey)}\nupdate_only=true\n`);
  if (presharedKeyFile !== undefined) parts.push('preshared_key=', await readSecret(presharedKeyFile), '\n');
  parts.push(`persistent_keepalive_interval=${keepaliveSeconds}\n`);
}

/** A secret of a file, as hexadecimal digits. @throws Error naming the file */
async function readSecret(path: string): Promise<Buffer> {
  const text = await readFile(path);
  const secret = secretFromBase64(text);
  text.fill(0);
  if (secret === undefined) throw new Error(`${path} is no key of 32 bytes in base64`);
  const hex = secretToHex(secret);
  secret.fill(0);
  return hex;
}

function hexOf(publicKey: string): string {
  return Buffer.from(publicKey, 'base64').toString('hex');
}

function refused(device: string, cause: unknown): CodedError {
  const nobody = NOBODY.has(String((cause as NodeJS.ErrnoException).code)) && (cause as { syscall?: string }).syscall === 'connect';
  const why = nobody ? 'nobody serves it' : messageOf(cause);
  return new CodedError(WIREGUARD_DEVICE, `${device}: ${why}`, { object: device, cause });
}
