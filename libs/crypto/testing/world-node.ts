import type { Epoch, WireGuardDevice } from '../src/wireguard/epoch.ts';
import type { Rotation } from '../src/wireguard/rotation/rotation.ts';
import type { WireGuardRecord } from '../src/wireguard/rotation/wireguard-record.ts';
import type { WorldSecrets } from './world-secrets.ts';

/** Another node's key on a device. */
export interface WorldPeer {
  confirmed: boolean;
  readonly asks: boolean;
  /** It has a preshared key. */
  readonly secret: boolean;
  readonly psk: number | undefined;
  /** When it last tried to shake hands. */
  tried: number;
  /** Both tried at once: they take the session for good, and nothing gets through. */
  isBroken: boolean;
}

/** A WireGuard device. */
export interface WorldDevice {
  publicKey: string | undefined;
  readonly peers: Map<string, WorldPeer>;
}

/** What was published, and when. */
export interface Version {
  readonly at: number;
  readonly record: WireGuardRecord;
}

/** The one key that a node tells those of who know of no epochs. */
export interface Announcement {
  readonly at: number;
  readonly publicKey: string;
}

/** A node whose disk, devices and datapath are memory; what it decides by is the real thing. */
export class WorldNode {
  readonly name: string;
  readonly keys = new Map<Epoch, string>();
  readonly devices: Record<WireGuardDevice, WorldDevice> = {
    even: { publicKey: undefined, peers: new Map() },
    odd: { publicKey: undefined, peers: new Map() },
  };
  readonly tx = new Map<string, WireGuardDevice>();
  readonly versions: Version[] = [];
  readonly announced: Announcement[] = [];
  readonly secrets: WorldSecrets;
  rotation: Rotation;
  /** It knows of no epochs: it has one key on its even device, and sends by that to whoever announces one. */
  withoutEpochs = false;
  /** It is not there: neither decides, nor receives. */
  isDown = false;
  /** The store cannot be reached. */
  isCut = false;
  crashes = 0;
  /** When its agent decides again. */
  decides = 0;

  constructor(name: string, rotation: Rotation, secrets: WorldSecrets) {
    this.name = name;
    this.rotation = rotation;
    this.secrets = secrets;
  }
}
