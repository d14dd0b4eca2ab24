import { defineError } from '@isthmus/core';

/** A key that WireGuard cannot use. */
export const WIREGUARD_KEY = defineError(
  'WIREGUARD_KEY',
  'A WireGuard key is not 32 bytes in base64, or is one that nobody can have.',
  'Look which node published it. A node makes its own keys: remove its key file and start its agent again.',
);

/** A change of a WireGuard device that was refused. */
export const WIREGUARD_DEVICE = defineError(
  'WIREGUARD_DEVICE',
  'A WireGuard device cannot be set up.',
  'Look whether its wireguard-go runs; where WireGuard is the kernel’s, whether wireguard-tools are installed.',
);

/** Packets that go through WireGuard would be too small for IPv6. */
export const WIREGUARD_MTU = defineError(
  'WIREGUARD_MTU',
  'The network has too small packets for IPv6 inside WireGuard.',
  'Raise the MTU of the device that nodes reach each other by, or turn IPv6 off for pods.',
);

/** Something of the key exchange that is safe from quantum computers is not what it should be. */
export const WIREGUARD_KEM = defineError(
  'WIREGUARD_KEM',
  'A public key or a ciphertext of ML-KEM-768 is none.',
  'The pair stays at the keys that it has. Look which version the other node runs; keys are made anew with the next rotation.',
);

/** Two nodes made different preshared keys of one exchange. */
export const WIREGUARD_PSK_DIFFERS = defineError(
  'WIREGUARD_PSK_DIFFERS',
  'Two nodes have made different preshared keys of one exchange.',
  'The pair stays at the keys that it has, and tries again. If it goes on, look whether both agents are of one version, and who sits between them.',
);

/** Another node cannot be agreed with on a preshared key. */
export const PAIR_EXCHANGE = defineError(
  'PAIR_EXCHANGE',
  'A preshared key cannot be agreed on with another node.',
  'Look whether TCP port 51873 of the other node can be reached, and at its agent. It is tried again; the pair stays at the keys that it has.',
);

/** Preshared keys are required, and the node cannot show others who it is. */
export const PAIR_EXCHANGE_CERTIFICATE = defineError(
  'PAIR_EXCHANGE_CERTIFICATE',
  'wireguard-pq is required, and the node has no certificate to agree on preshared keys with.',
  'Give the agent an etcd configuration with cert-file, key-file and trusted-ca-file, as "isthmus node enrol" writes it.',
);

/** Keys are not changed again before everybody has the last ones. */
export const WIREGUARD_ROTATION_WAITS = defineError(
  'WIREGUARD_ROTATION_WAITS',
  'The keys of the mesh are not changed: some nodes have not come along with the last change.',
  'Look at "isthmus encrypt status", and at the agents of the named nodes. Delete the CiliumNode of a node that is gone for good. "isthmus encrypt rotate --force" changes keys all the same.',
);

/** Keys are not changed because of who knows only one. */
export const WIREGUARD_ROTATION_BLOCKED = defineError(
  'WIREGUARD_ROTATION_BLOCKED',
  'The keys of the mesh stay as they are: some nodes know of no epochs, as those of Cilium clusters, and would be cut off with the present keys.',
  'Go on with them by "isthmus encrypt rotate --force", which cuts them off until they have read the new keys; or close them for good with wireguard-exclude-peers in the configuration of all agents.',
);

/** Another cluster wants keys to change more often than it may. */
export const WIREGUARD_ROTATION_LIMITED = defineError(
  'WIREGUARD_ROTATION_LIMITED',
  'Another cluster has the keys of the mesh changed more often than wireguard-follow-interval lets this one follow. It is followed when it is time.',
  'Ask who looks after the named cluster. "isthmus encrypt rotate" follows it at once; "isthmus clustermesh disconnect" parts the two.',
);

/** Keys are changed although somebody has not come along. */
export const WIREGUARD_LEFT_BEHIND = defineError(
  'WIREGUARD_LEFT_BEHIND',
  'The keys of the mesh change although some nodes have not come along with the last change. Where their keys are in the way, nothing is sent to them wireguard-max-overlap later.',
  'Look at the agents of the named nodes: they come back by themselves. Delete the CiliumNode of a node that is gone for good.',
);
