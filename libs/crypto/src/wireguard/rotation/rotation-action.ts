import type { Epoch, WireGuardDevice } from '../epoch.ts';
import type { WireGuardRecord } from './wireguard-record.ts';

/** Something to do, in the order in which it is said. What fails is said again: each says what should be, not what to change. */
export type RotationAction =
  /** Make a key of an epoch, and write it to disk. */
  | { readonly do: 'make-key'; readonly epoch: Epoch }
  /** Give a device the key of an epoch, and have it listen. */
  | { readonly do: 'set-up'; readonly device: WireGuardDevice; readonly epoch: Epoch }
  /** Have the store say this of the node. */
  | { readonly do: 'publish'; readonly record: WireGuardRecord }
  /** Ask a peer to agree on a preshared key. It takes a while; when it is done it is seen. */
  | { readonly do: 'agree'; readonly epoch: Epoch; readonly peer: string; readonly publicKey: string }
  /** Give a device a peer. `begins`: this side makes the handshake. */
  | {
      readonly do: 'install';
      readonly device: WireGuardDevice;
      readonly epoch: Epoch;
      readonly peer: string;
      readonly publicKey: string;
      readonly begins: boolean;
    }
  /** Try the handshake once more. */
  | { readonly do: 'kick'; readonly device: WireGuardDevice; readonly publicKey: string }
  /** Stop asking for a handshake: there was one. */
  | { readonly do: 'quiet'; readonly device: WireGuardDevice; readonly publicKey: string }
  /** From now on send to a peer by this device. */
  | { readonly do: 'send'; readonly peer: string; readonly device: WireGuardDevice }
  /** From now on drop what is for a peer. */
  | { readonly do: 'close'; readonly peer: string }
  /** Take a peer from a device. */
  | { readonly do: 'remove'; readonly device: WireGuardDevice; readonly publicKey: string }
  /** Take the key from its device and from disk. */
  | { readonly do: 'wipe'; readonly device: WireGuardDevice; readonly epoch: Epoch };
