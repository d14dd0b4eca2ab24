import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Epoch, type PeerView, type RotationAction, recordWithoutEpochs, systemRandomBytes, WireGuardKey } from '@isthmus/crypto';
import { WIREGUARD_PORTS } from '@isthmus/model';
import { WireGuardNode } from './wireguard-node.ts';

/** A node as Cilium has it: one device with one key for ever, and for each other node the key that it tells those who know of no epochs. */
export class SingleKeyNode extends WireGuardNode {
  readonly #key = WireGuardKey.generate(systemRandomBytes);
  /** What the device has of each other node. */
  readonly #has = new Map<string, string>();

  override async step(): Promise<readonly RotationAction[]> {
    const device = this.device('even');
    await this.ensureDevice(device);
    const privateKeyFile = join(this.keys.path, 'single.key');
    writeFileSync(privateKeyFile, this.#key.text(), { mode: 0o600 });
    await this.wg.setUp(device, { privateKeyFile, listenPort: WIREGUARD_PORTS.even, mark: 0 });
    for (const other of this.others) await this.#follow(other);
    return [];
  }

  override seenBy(own: readonly Epoch[]): Pick<PeerView, 'record' | 'withoutEpochs'> {
    return { record: recordWithoutEpochs(this.#key.publicKey, own), withoutEpochs: true };
  }

  async #follow(other: WireGuardNode): Promise<void> {
    const publicKey = this.store.single.get(other.name);
    const before = this.#has.get(other.name);
    if (publicKey === undefined || publicKey === before) return;
    if (before !== undefined) await this.wg.removePeers(this.device('even'), [before]);
    const endpoint = { address: other.link, port: WIREGUARD_PORTS.even };
    await this.wg.putPeers(this.device('even'), [{ publicKey, endpoint, allowedIps: [`${other.pod}/32`], keepaliveSeconds: 0 }]);
    this.send(other, 'even');
    this.#has.set(other.name, publicKey);
  }
}
