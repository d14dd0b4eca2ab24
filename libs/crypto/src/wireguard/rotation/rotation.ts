import { isDeepStrictEqual } from 'node:util';
import { WIREGUARD_PORTS } from '@isthmus/model';
import { deviceOf, type Epoch, type WireGuardDevice } from '../epoch.ts';
import type { RotationAction } from './rotation-action.ts';
import type { DeviceView, InstalledPeer, PeerView, RotationView } from './rotation-view.ts';
import { hasLeft, kemKeyOf, keyOf, type WireGuardRecord } from './wireguard-record.ts';

/** Times of a {@link Rotation}, in milliseconds. */
export interface RotationTimes {
  /** How long a key stays for what is under way, after both sides have said that they send by a newer one. */
  readonly drainMs: number;
  /** How long a peer that does not come along holds up a device that is needed. */
  readonly maxOverlapMs: number;
}

/** More laggards than that are no exception: then the node says that it still sends by the old epoch to everybody. */
const MAX_LAGGARDS = 16;
/** Both sides that begin at once cross and cancel each other: the one that waits helps after so long. */
const HELP_MS = 400;
/** WireGuard makes no second attempt with a peer before. */
const RETRY_MS = 5_200;
/** Time between two attempts to agree on a preshared key. */
const AGREE_MS = 1_000;
/** Without a handshake for so long, the two may have different preshared keys. */
const DOUBT_MS = 3 * RETRY_MS;
/** Where preshared keys are not required a pair does without one after so long. */
const PATIENCE_MS = 10_000;

/** A peer's keys of an epoch. */
interface PeerKeys {
  readonly epoch: Epoch;
  readonly publicKey: string;
}

/**
 * What a node has to do so that the mesh gets to its target epoch and no packet is lost: listen before it publishes, send by an epoch after its own
 * handshake, give up the old one when both sides have said that they send by the new one. It knows nothing that it cannot look up but how long things
 * have lasted, so that a crash between any two actions changes nothing.
 */
export class Rotation {
  readonly #times: RotationTimes;
  /** Since when something is so, by what it is. */
  #since = new Map<string, number>();
  #seen = new Set<string>();
  #now = 0;

  constructor(times: RotationTimes) {
    this.#times = times;
  }

  /**
   * What is to be done as things are. Call it again when they have changed, and every second or so; not before all other nodes are known: those that are
   * not there count as gone.
   * @param now monotonic, ms
   */
  step(view: RotationView, now: number): RotationAction[] {
    this.#now = now;
    this.#seen = new Set();
    const own = [...this.#ownEpochs(view)];
    // After that nothing is as it was looked up.
    const isEnough = own.some((action) => action.do === 'wipe');
    const actions = isEnough ? own : [...own, ...this.#pairs(view)];
    // What is not so any more begins anew when it is so again.
    this.#since = new Map([...this.#since].filter(([what]) => this.#seen.has(what)));
    return actions;
  }

  *#pairs(view: RotationView): Generator<RotationAction> {
    for (const peer of view.peers) yield* this.#pair(view, peer);
    yield* strangers(view);
    yield* this.#record(view);
    yield* wiped(view);
  }

  /** A key of the target, as soon as its device is free; a device has the key that belongs on it. */
  *#ownEpochs(view: RotationView): Generator<RotationAction> {
    const { target, keys, devices } = view;
    const occupant = [...keys.keys()].find((epoch) => epoch !== target && deviceOf(epoch) === deviceOf(target));
    if (target > 0 && target > newestOf(keys)) {
      if (occupant === undefined) yield { do: 'make-key', epoch: target };
      else if (this.#hasLasted(`occupied by ${occupant}`, this.#times.maxOverlapMs) || isDeserted(view, occupant)) {
        yield { do: 'wipe', device: deviceOf(occupant), epoch: occupant };
      }
    }
    for (const [epoch, publicKey] of keys) {
      const device = deviceOf(epoch);
      if (devices[device].publicKey !== publicKey) yield { do: 'set-up', device, epoch };
    }
  }

  /** Everything between this node and another one. */
  *#pair(view: RotationView, peer: PeerView): Generator<RotationAction> {
    yield* this.#sending(view, peer);
    for (const [epoch, own] of view.keys) {
      const device = view.devices[deviceOf(epoch)];
      const publicKey = keyOf(peer.record, epoch);
      if (publicKey === undefined || device.publicKey !== own) continue;
      const keys = { epoch, publicKey };
      const installed = device.peers.get(publicKey);
      if (installed === undefined) yield* this.#missing(view, peer, keys);
      else if (isBare(view, installed)) yield { do: 'remove', device: deviceOf(epoch), publicKey };
      else if (!installed.confirmed) {
        yield* this.#doubt(view, peer, keys);
        yield* this.#handshake(view, peer, keys);
      } else if (this.#isRetired(view, peer, epoch)) yield { do: 'remove', device: deviceOf(epoch), publicKey };
      else if (installed.asks) yield { do: 'quiet', device: deviceOf(epoch), publicKey };
    }
  }

  /** A peer comes with its preshared key, so that none ever changes under a session. */
  *#missing(view: RotationView, peer: PeerView, keys: PeerKeys): Generator<RotationAction> {
    if (this.#isRetired(view, peer, keys.epoch)) return;
    if (this.#lacksSecret(view, peer, keys)) yield* this.#agreement(view, peer, keys, AGREE_MS);
    else yield install(view, peer, keys);
  }

  #lacksSecret(view: RotationView, peer: PeerView, { epoch, publicKey }: PeerKeys): boolean {
    const { secrets } = view;
    if (secrets === undefined || secrets.agreed(epoch, publicKey)) return false;
    if (secrets.required) return true;
    return canAgree(view, peer, epoch) && !this.#hasLasted(`no preshared key with ${publicKey} in ${epoch}`, PATIENCE_MS);
  }

  /** The lower node asks. */
  *#agreement(view: RotationView, peer: PeerView, { epoch, publicKey }: PeerKeys, everyMs: number): Generator<RotationAction> {
    if (view.name > peer.name || !canAgree(view, peer, epoch)) return;
    const what = `no agreement with ${publicKey} in ${epoch}`;
    const tries = 1 + Math.floor(this.#lasted(what) / everyMs);
    if (this.#hasNew(`${what}: try`, tries))
      yield { do: 'agree', epoch, peer: peer.name, publicKey, kemKey: kemKeyOf(peer.record, epoch)! };
  }

  /** No handshake: only one of the two may have a preshared key, or they have different ones. The next attempt is made with what is agreed on. */
  *#doubt(view: RotationView, peer: PeerView, keys: PeerKeys): Generator<RotationAction> {
    if (view.secrets !== undefined && this.#hasLasted(`no handshake with ${keys.publicKey} by its preshared key`, DOUBT_MS))
      yield* this.#agreement(view, peer, keys, DOUBT_MS);
  }

  *#handshake(view: RotationView, peer: PeerView, { epoch, publicKey }: PeerKeys): Generator<RotationAction> {
    const what = `no handshake with ${peer.name} in ${epoch}`;
    const begins = view.name < peer.name;
    const lasted = this.#lasted(what);
    const tries = begins ? Math.floor(lasted / RETRY_MS) : lasted < HELP_MS ? 0 : 1 + Math.floor((lasted - HELP_MS) / RETRY_MS);
    if (this.#hasNew(`${what}: try`, tries)) yield { do: 'kick', device: deviceOf(epoch), publicKey };
  }

  /** By the newest epoch that both have confirmed; by none, rather than by one that the other side does not have. */
  *#sending(view: RotationView, peer: PeerView): Generator<RotationAction> {
    const best = [...view.keys.keys()]
      .filter((epoch) => isConfirmed(view, peer, epoch) && maySendBy(view, peer, epoch))
      .sort((a, b) => b - a)[0];
    if (best === undefined) {
      if (peer.tx !== 'closed') yield { do: 'close', peer: peer.name };
    } else if (peer.tx !== deviceOf(best)) yield { do: 'send', peer: peer.name, device: deviceOf(best) };
  }

  /** Neither side sends by it any more, and what was under way has arrived. */
  #isRetired(view: RotationView, peer: PeerView, epoch: Epoch): boolean {
    const sends = epochOf(view, peer.tx);
    const isOver = sends > epoch && peer.record !== undefined && hasLeft(peer.record, epoch, view.name);
    return isOver && this.#hasLasted(`${peer.name} has left ${epoch}`, this.#times.drainMs);
  }

  *#record(view: RotationView): Generator<RotationAction> {
    const record = ownRecord(view);
    if (record !== undefined && !isDeepStrictEqual(record, view.published)) yield { do: 'publish', record };
  }

  #lasted(what: string): number {
    this.#seen.add(what);
    const since = this.#since.get(what) ?? this.#now;
    this.#since.set(what, since);
    return this.#now - since;
  }

  #hasLasted(what: string, ms: number): boolean {
    return this.#lasted(what) >= ms;
  }

  /** Whether a count is greater than it was. */
  #hasNew(what: string, count: number): boolean {
    this.#seen.add(what);
    const isNew = count > (this.#since.get(what) ?? 0);
    if (isNew) this.#since.set(what, count);
    return isNew;
  }
}

function install({ name }: RotationView, peer: PeerView, { epoch, publicKey }: PeerKeys): RotationAction {
  return { do: 'install', device: deviceOf(epoch), epoch, peer: peer.name, publicKey, begins: name < peer.name };
}

/** Both publish KEM keys. */
function canAgree({ secrets }: RotationView, { record }: PeerView, epoch: Epoch): boolean {
  return secrets?.kemKeys.has(epoch) === true && kemKeyOf(record, epoch) !== undefined;
}

/** A session without a preshared key, where that is not enough any more. */
function isBare({ secrets }: RotationView, installed: InstalledPeer): boolean {
  return secrets?.required === true && installed.confirmed && !installed.secret;
}

function newestOf(keys: RotationView['keys']): Epoch {
  return Math.max(0, ...keys.keys());
}

/** The epoch that a device sends by; 0 for none. */
function epochOf(view: RotationView, tx: WireGuardDevice | 'closed'): Epoch {
  if (tx === 'closed') return 0;
  for (const epoch of view.keys.keys()) if (deviceOf(epoch) === tx) return epoch;
  return 0;
}

/** Both have each other's keys of an epoch. */
function isConfirmed(view: RotationView, { record }: PeerView, epoch: Epoch): boolean {
  const device = view.devices[deviceOf(epoch)];
  const publicKey = keyOf(record, epoch);
  if (publicKey === undefined || device.publicKey !== view.keys.get(epoch)) return false;
  const installed = device.peers.get(publicKey);
  return installed?.confirmed === true && !isBare(view, installed);
}

/** By an epoch that others were told it has left only to those whom it named. */
function maySendBy({ published }: RotationView, peer: PeerView, epoch: Epoch): boolean {
  return published === undefined || !hasLeft(published, epoch, peer.name);
}

/** No other node has a key of an epoch: nobody can send by it. */
function isDeserted({ peers }: RotationView, epoch: Epoch): boolean {
  return peers.every(({ record }) => keyOf(record, epoch) === undefined);
}

/** Keys on devices that no node publishes: of nodes that are gone, and of those that have made new ones. */
function* strangers({ devices, keys, peers }: RotationView): Generator<RotationAction> {
  for (const epoch of keys.keys()) {
    const device = deviceOf(epoch);
    const known = new Set(peers.map(({ record }) => keyOf(record, epoch)));
    for (const publicKey of devices[device].peers.keys()) if (!known.has(publicKey)) yield { do: 'remove', device, publicKey };
  }
}

/** What the node has to say of itself: keys that are listened for, without those that no peer needs. */
function ownRecord(view: RotationView): WireGuardRecord | undefined {
  const listening = [...view.keys].filter(([epoch, key]) => view.devices[deviceOf(epoch)].publicKey === key).sort(([a], [b]) => a - b);
  const newest = listening.at(-1)?.[0];
  if (newest === undefined) return view.published === undefined ? undefined : { epochs: [], minTx: view.published.minTx, laggards: [] };
  const live = listening.filter(([epoch]) => epoch === newest || isNeeded(view, epoch));
  const epochs = live.map(([epoch, publicKey]) => {
    const kemKey = view.secrets?.kemKeys.get(epoch);
    return { epoch, publicKey, port: WIREGUARD_PORTS[deviceOf(epoch)], ...(kemKey === undefined ? {} : { kemKey }) };
  });
  return { epochs, ...acknowledged(view, newest) };
}

/** Some peer sends by it, may do so, or is sent to. */
function isNeeded(view: RotationView, epoch: Epoch): boolean {
  const device = view.devices[deviceOf(epoch)];
  return view.peers.some((peer) => {
    const publicKey = keyOf(peer.record, epoch);
    if (epochOf(view, peer.tx) === epoch) return true;
    return publicKey !== undefined && (device.peers.has(publicKey) || epochOf(view, peer.tx) < epoch);
  });
}

function acknowledged(view: RotationView, newest: Epoch): Pick<WireGuardRecord, 'minTx' | 'laggards'> {
  const before = view.published?.minTx ?? 0;
  const behind = view.peers.filter(({ record, tx }) => record !== undefined && record.epochs.length > 0 && epochOf(view, tx) < newest);
  if (behind.length > MAX_LAGGARDS) return { minTx: before, laggards: view.published?.laggards ?? [] };
  return { minTx: Math.max(before, newest), laggards: behind.map(({ name }) => name).sort() };
}

/** Keys that the store does not name any more, after it has: nobody looks for them. */
function* wiped({ keys, published, devices }: RotationView): Generator<RotationAction> {
  const newest = newestOf(keys);
  for (const epoch of keys.keys()) {
    if (epoch === newest || published === undefined || keyOf(published, newest) === undefined || keyOf(published, epoch) !== undefined)
      continue;
    const device: DeviceView = devices[deviceOf(epoch)];
    if (device.publicKey === keys.get(epoch) || device.publicKey === undefined) yield { do: 'wipe', device: deviceOf(epoch), epoch };
  }
}
