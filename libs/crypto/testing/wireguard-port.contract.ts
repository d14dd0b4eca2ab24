import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandomBytes } from '../src/adapters/random-bytes.ts';
import { WIREGUARD_DEVICE } from '../src/wireguard/wireguard.errors.ts';
import { WireGuardKey } from '../src/wireguard/wireguard-key.ts';
import type { WireGuardPeer, WireGuardPort } from '../src/wireguard/wireguard-port.ts';

/** A device that is there, without a key, and what it is set up by. */
export interface WireGuardSubject {
  readonly port: WireGuardPort;
  readonly device: string;
  remove(): Promise<void>;
}

/** More than go into one call of any adapter. */
const MANY = 250;
const MARK = 0xe00;
const ENDPOINT = { address: '192.0.2.2', port: 51_872 };

/** What every way to WireGuard devices must do, with a device of its own. Its steps build on each other. */
export function describeWireGuardPort(name: string, setup: () => Promise<WireGuardSubject>): void {
  describe(`WireGuardPort contract: ${name}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'isthmus-wireguard-port-'));
    const [own, other] = [newKey(), newKey()];
    const psk = secretFile('psk');
    let subject: WireGuardSubject;
    let settings: Parameters<WireGuardPort['setUp']>[1];

    /** The name of a file with a new secret, which nothing else needs to know. */
    function secretFile(file: string, key = WireGuardKey.generate(systemRandomBytes)): string {
      const path = join(folder, file);
      writeFileSync(path, key.text(), { mode: 0o600 });
      return path;
    }

    const peer = (publicKey: string, more: Partial<WireGuardPeer> = {}): WireGuardPeer => {
      return { publicKey, endpoint: ENDPOINT, allowedIps: ['10.2.0.0/24', 'fd10:2::/64'], keepaliveSeconds: 0, ...more };
    };
    const seen = async () => (await subject.port.show(subject.device))!;

    beforeAll(async () => {
      subject = await setup();
      settings = { privateKeyFile: secretFile('own', own), listenPort: 51_871, mark: MARK };
    });
    afterAll(async () => {
      await subject.remove();
      rmSync(folder, { recursive: true });
    });

    it('has nothing to show of a device that is not there, and nothing to clear', async () => {
      expect(await subject.port.show('nowhere')).toBeUndefined();
      await subject.port.clear('nowhere');
    });

    it('refuses to change a device that is not there, and names it', async () => {
      await expect(subject.port.setUp('nowhere', settings)).rejects.toMatchObject({ code: WIREGUARD_DEVICE.code, object: 'nowhere' });
    });

    it('shows a new device without a key', async () => {
      expect(await seen()).toMatchObject({ publicKey: undefined, peers: [] });
    });

    it('gives a device its key, its port and its mark', async () => {
      await subject.port.setUp(subject.device, settings);
      expect(await seen()).toEqual({ publicKey: own.publicKey, listenPort: 51_871, mark: MARK, peers: [] });
    });

    it('refuses a key file that is not there, and leaves the device as it is', async () => {
      const missing = { ...settings, privateKeyFile: join(folder, 'missing') };
      await expect(subject.port.setUp(subject.device, missing)).rejects.toMatchObject({
        code: WIREGUARD_DEVICE.code,
        object: subject.device,
      });
      expect((await seen()).publicKey).toBe(own.publicKey);
    });

    it('adds a peer, without a preshared key and with one', async () => {
      await subject.port.putPeers(subject.device, [peer(other.publicKey)]);
      const plain = { publicKey: other.publicKey, hasPresharedKey: false, endpoint: '192.0.2.2:51872', keepaliveSeconds: 0 };
      const [first] = (await seen()).peers;
      expect(first).toMatchObject({ ...plain, latestHandshake: 0, received: 0 });
      expect([...first!.allowedIps].sort()).toEqual(['10.2.0.0/24', 'fd10:2::/64']);
      await subject.port.putPeers(subject.device, [peer(other.publicKey, { presharedKeyFile: psk, keepaliveSeconds: 7 })]);
      expect((await seen()).peers).toMatchObject([{ ...plain, hasPresharedKey: true, keepaliveSeconds: 7 }]);
    });

    it('moves a peer to another address and to other networks; without a file its preshared key is gone', async () => {
      const moved = peer(other.publicKey, { endpoint: { address: '2001:db8::2', port: 51_871 }, allowedIps: ['10.3.0.0/24'] });
      await subject.port.putPeers(subject.device, [moved]);
      const now = { endpoint: '[2001:db8::2]:51871', allowedIps: ['10.3.0.0/24'], hasPresharedKey: false, keepaliveSeconds: 0 };
      expect((await seen()).peers).toMatchObject([now]);
    });

    it('changes the keepalive of a peer, and its preshared key where there is a file, and nothing else', async () => {
      const { peers } = await seen();
      await subject.port.setKeepalive(subject.device, [{ publicKey: other.publicKey, keepaliveSeconds: 3, presharedKeyFile: psk }]);
      expect((await seen()).peers).toMatchObject([{ allowedIps: peers[0]!.allowedIps, keepaliveSeconds: 3, hasPresharedKey: true }]);
      await subject.port.setKeepalive(subject.device, [{ publicKey: other.publicKey, keepaliveSeconds: 0 }]);
      expect((await seen()).peers).toMatchObject([{ allowedIps: peers[0]!.allowedIps, keepaliveSeconds: 0, hasPresharedKey: true }]);
    });

    it(`takes ${MANY} peers, and removes them; those that are not there are fine`, async () => {
      const keys = Array.from({ length: MANY }, () => newKey().publicKey);
      const many = keys.map((key, i) => peer(key, { allowedIps: [`10.9.${i}.0/24`], presharedKeyFile: psk }));
      await subject.port.putPeers(subject.device, many);
      expect(new Set((await seen()).peers.map(({ publicKey }) => publicKey))).toEqual(new Set([other.publicKey, ...keys]));
      await subject.port.removePeers(subject.device, [...keys, newKey().publicKey]);
      expect((await seen()).peers.map(({ publicKey }) => publicKey)).toEqual([other.publicKey]);
    });

    it('clears a device: its key is gone, and all peers', async () => {
      await subject.port.clear(subject.device);
      expect(await seen()).toMatchObject({ publicKey: undefined, peers: [] });
    });
  });
}

function newKey(): WireGuardKey {
  return WireGuardKey.generate(systemRandomBytes);
}
