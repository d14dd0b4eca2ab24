import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UapiWireGuard } from './uapi-wireguard.ts';

// What a daemon does on its socket that a healthy one does not; that it does what it is told is shown by the contract.

const PEER = { publicKey: Buffer.alloc(32, 1).toString('base64'), keepaliveSeconds: 1 };
let folder: string;
let server: Server;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-uapi-'));
});

afterEach(async () => {
  if (server.listening) await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

/** A daemon that answers whatever it is asked in its way. @returns what it was asked */
async function daemon(answer: (socket: Socket) => void): Promise<string[]> {
  const asked: string[] = [];
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      asked.push(data.toString());
      answer(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'wg0.sock'), resolve));
  return asked;
}

it('reads an answer that comes in pieces, a byte at a time', async () => {
  await daemon((socket) => {
    for (const byte of 'listen_port=51871\nfwmark=7\nerrno=0\n\n') socket.write(byte);
  });
  expect(await new UapiWireGuard(folder).show('wg0')).toMatchObject({ listenPort: 51_871, mark: 7 });
});

it('changes all peers in one exchange', async () => {
  const asked = await daemon((socket) => socket.write('errno=0\n\n'));
  await new UapiWireGuard(folder).setKeepalive('wg0', [PEER, { ...PEER, keepaliveSeconds: 0 }]);
  const key = `public_key=${'01'.repeat(32)}\nupdate_only=true\npersistent_keepalive_interval`;
  expect(asked).toEqual([`set=1\n${key}=1\n${key}=0\n\n`]);
});

it.each([
  ['refuses', 'errno=-22\n\n', /wg0.*errno -22/],
  ['dies over an answer', 'errn', /wg0.*in the middle/],
  ['hangs up', '', /wg0.*in the middle/],
])('says so when a daemon %s', async (_, said, message) => {
  await daemon((socket) => socket.end(said));
  const change = new UapiWireGuard(folder).setKeepalive('wg0', [PEER]);
  await expect(change).rejects.toMatchObject({ code: 'WIREGUARD_DEVICE', object: 'wg0', message: expect.stringMatching(message) });
});

it('does not take an error for a device that has no key', async () => {
  await daemon((socket) => socket.end('errno=-5\n\n'));
  const look = new UapiWireGuard(folder).show('wg0');
  await expect(look).rejects.toMatchObject({ code: 'WIREGUARD_DEVICE', message: expect.stringContaining('errno -5') });
});

it('names the file of a secret that is none, and asks the daemon nothing', async () => {
  const asked = await daemon((socket) => socket.write('errno=0\n\n'));
  const file = join(folder, 'some.psk');
  writeFileSync(file, 'garbage');
  const change = new UapiWireGuard(folder).setKeepalive('wg0', [{ ...PEER, presharedKeyFile: file }]);
  await expect(change).rejects.toThrow(/some\.psk is no key/);
  expect(asked).toEqual([]);
});
