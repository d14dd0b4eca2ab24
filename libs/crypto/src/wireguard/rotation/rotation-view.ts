import type { Epoch, WireGuardDevice } from '../epoch.ts';
import type { WireGuardRecord } from './wireguard-record.ts';

/** A peer that a device has. */
export interface InstalledPeer {
  /** A handshake was made: the other side can receive what is sent to it, and this one what it sends. */
  readonly confirmed: boolean;
  /** The device keeps sending to it so that a handshake is made. */
  readonly asks: boolean;
  /** The device has a preshared key for it. */
  readonly secret: boolean;
}

/** A device as it is. */
export interface DeviceView {
  /** Undefined: it has no key, or is not there. */
  readonly publicKey: string | undefined;
  /** By public key. */
  readonly peers: ReadonlyMap<string, InstalledPeer>;
}

/** Another node. */
export interface PeerView {
  /** `<cluster>/<node>` */
  readonly name: string;
  /** Undefined: it publishes none. */
  readonly record: WireGuardRecord | undefined;
  /**
   * It knows of no epochs (Cilium): all that it has is one key, at the port of even epochs. {@link recordWithoutEpochs} makes the record that it counts as
   * having published.
   */
  readonly withoutEpochs?: true;
  /** What the datapath sends to it by. */
  readonly tx: WireGuardDevice | 'closed';
}

/** Preshared keys of this node's pairs. */
export interface SecretsView {
  /** Nothing is sent to a peer without one. */
  readonly required: boolean;
  /** Hashes of own KEM keys, base64, by epoch: who publishes none agrees on nothing. */
  readonly kemKeyHashes: ReadonlyMap<Epoch, string>;
  /** Whether there is one for a peer's key of an epoch. */
  agreed(epoch: Epoch, publicKey: string): boolean;
}

/** Everything that a node decides by. All of it is looked up anew each time: a node that starts again goes on from what is there. */
export interface RotationView {
  /** Own name, `<cluster>/<node>`. */
  readonly name: string;
  /** The epoch that the mesh is to be at. */
  readonly target: Epoch;
  /** Own public keys whose private halves are on disk. */
  readonly keys: ReadonlyMap<Epoch, string>;
  readonly devices: Readonly<Record<WireGuardDevice, DeviceView>>;
  /** What the store has of this node. */
  readonly published: WireGuardRecord | undefined;
  readonly peers: readonly PeerView[];
  /** Undefined: no preshared keys are agreed on. */
  readonly secrets?: SecretsView;
}
