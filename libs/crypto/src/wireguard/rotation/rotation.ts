import { isDeepStrictEqual } from 'node:util';
import { WIREGUARD_PORTS } from '@isthmus/model';
import { deviceOf, type Epoch, type WireGuardDevice } from '../epoch.ts';
import { Durations } from './durations.ts';
import type { RotationAction } from './rotation-action.ts';
import type { DeviceView, InstalledPeer, PeerView, RotationView } from './rotation-view.ts';
import { hasLeft, kemKeyHashOf, keyOf, type WireGuardRecord } from './wireguard-record.ts';

/** Times of a {@link Rotation}, in milliseconds. */
export interface RotationTimes {
  /** How long a key stays for what is under way, after both sides have said that they send by a newer one. */
  readonly drainMs: number;
  /** How long a peer that does not come along holds up a device that is needed. */
  readonly maxOverlapMs: number;
}

/** An epoch that the node listens for. */
interface LiveEpoch {
  readonly epoch: Epoch;
  readonly device: WireGuardDevice;
  readonly peers: DeviceView['peers'];
}

/** What is the same for all peers, of which there may be a thousand. */
interface Look {
  readonly view: RotationView;
  /** The newest first. */
  readonly live: readonly LiveEpoch[];
  /** The epoch that is sent by; 0 for none. */
  readonly sends: Readonly<Record<PeerView['tx'], Epoch>>;
}

/** More laggards than that are no exception: then the node says that it still sends by the old epoch to everybody. */
const MAX_LAGGARDS = 16;
/** More peers without epochs than that need no names. */
const MAX_BLOCKERS = 16;
/**
 * In a mesh that changes its keys everybody is behind for a moment, which is longer where there are more to agree with: that long nobody is told who. Told of
 * each, all would hear of all of them.
 */
const [LAGGING_MS, LAGGING_PER_PEER_MS] = [5_000, 10];
/** WireGuard makes no second attempt with a peer before: one that comes before the other side has the peer costs as much. */
const RETRY_MS = 5_200;
/** Where the node cannot know whether the other side has the peer, it gives it so long. */
const BEGIN_MS = 1_000;
/**
 * Two that begin at once cancel each other; and on a busy machine wireguard-go may make a session of both attempts that both sides take for good, and by
 * which nothing gets through. So the one that waits begins only when the other one does not seem to come, and then between two of its attempts;
 */
const HELP_MS = RETRY_MS * 3.5;
/** sooner if that one says that it sends to it already: it does not begin what it has. */
const ANSWER_MS = RETRY_MS / 2;
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
  readonly #durations = new Durations();

  constructor(times: RotationTimes) {
    this.#times = times;
  }

  /**
   * What is to be done as things are. Call it again when they have changed, and every second or so; not before all other nodes are known: those that are
   * not there count as gone.
   * @param now monotonic, ms
   */
  step(view: RotationView, now: number): RotationAction[] {
    this.#durations.begin(now);
    const own = [...this.#ownEpochs(view)];
    // After that nothing is as it was looked up.
    const actions = own.length > 0 ? own : [...this.#pairs(view)];
    this.#durations.end();
    return actions;
  }

  *#pairs(view: RotationView): Generator<RotationAction> {
    const look = { view, live: liveEpochs(view), sends: { even: epochOn(view, 'even'), odd: epochOn(view, 'odd'), closed: 0 } };
    const actions: RotationAction[] = [];
    for (const peer of view.peers) this.#pair(look, peer, actions);
    yield* actions.sort(byKind);
    yield* strangers(view);
    yield* this.#record(look);
    yield* wiped(view);
  }

  /** A key of the target, as soon as its device is free; a device has the key that belongs on it. */
  *#ownEpochs(view: RotationView): Generator<RotationAction> {
    const { target, keys, devices } = view;
    const occupant = [...keys.keys()].find((epoch) => epoch !== target && deviceOf(epoch) === deviceOf(target));
    if (target > 0 && target > newestOf(keys)) {
      if (occupant === undefined) {
        yield { do: 'make-key', epoch: target };
        yield { do: 'set-up', device: deviceOf(target), epoch: target };
      } else if (this.#durations.lasted(`occupied by ${occupant}`) >= this.#times.maxOverlapMs || isDeserted(view, occupant)) {
        yield { do: 'wipe', device: deviceOf(occupant), epoch: occupant };
      }
    }
    if (lacksEvenKey(view)) {
      yield { do: 'make-key', epoch: target - 1 };
      yield { do: 'set-up', device: 'even', epoch: target - 1 };
    }
    for (const [epoch, publicKey] of keys) {
      const device = deviceOf(epoch);
      if (devices[device].publicKey !== publicKey) yield { do: 'set-up', device, epoch };
    }
  }

  /** Everything between this node and another one. */
  #pair(look: Look, peer: PeerView, actions: RotationAction[]): void {
    const { view, live } = look;
    let best: WireGuardDevice | undefined;
    for (const { epoch, device, peers } of live) {
      const publicKey = keyOf(peer.record, epoch);
      if (publicKey === undefined) continue;
      const installed = peers.get(publicKey);
      if (installed === undefined) actions.push(...this.#missing(look, peer, { epoch, publicKey }));
      else if (isBare(view, installed)) actions.push({ do: 'remove', device, publicKey });
      else if (!installed.confirmed) actions.push(...this.#unconfirmed(view, peer, { epoch, publicKey }));
      else {
        if (best === undefined && maySendBy(view, peer, epoch)) best = device;
        if (this.#isRetired(look, peer, epoch)) actions.push({ do: 'remove', device, publicKey });
        else if (installed.asks) actions.push({ do: 'quiet', device, publicKey });
      }
    }
    // By the newest epoch that both have confirmed; by none, rather than by one that the other side does not have.
    if (best === undefined) {
      if (peer.tx !== 'closed') actions.push({ do: 'close', peer: peer.name });
    } else if (peer.tx !== best) actions.push({ do: 'send', peer: peer.name, device: best });
  }

  /** A peer comes with its preshared key, so that none ever changes under a session. */
  *#missing(look: Look, peer: PeerView, keys: PeerKeys): Generator<RotationAction> {
    if (this.#isRetired(look, peer, keys.epoch)) return;
    if (this.#lacksSecret(look.view, peer, keys)) yield* this.#agreement(look.view, peer, keys, AGREE_MS);
    else yield install(look.view, peer, keys);
  }

  #lacksSecret(view: RotationView, peer: PeerView, { epoch, publicKey }: PeerKeys): boolean {
    const { secrets } = view;
    if (secrets === undefined || secrets.agreed(epoch, publicKey)) return false;
    if (secrets.required) return true;
    return canAgree(view, peer, epoch) && this.#durations.lasted(`no preshared key in ${epoch}`, publicKey) < PATIENCE_MS;
  }

  /** The lower node asks. */
  *#agreement(view: RotationView, peer: PeerView, { epoch, publicKey }: PeerKeys, everyMs: number): Generator<RotationAction> {
    if (view.name > peer.name || !canAgree(view, peer, epoch)) return;
    const what = `no agreement in ${epoch}`;
    const tries = 1 + Math.floor(this.#durations.lasted(what, publicKey) / everyMs);
    if (this.#durations.isMore(`${what}: tries`, publicKey, tries)) yield { do: 'agree', epoch, peer: peer.name, publicKey };
  }

  /**
   * No handshake: it is tried once more. Only one of the two may have a preshared key, or they have different ones; the next attempt is made with
   * what is agreed on.
   */
  *#unconfirmed(view: RotationView, peer: PeerView, keys: PeerKeys): Generator<RotationAction> {
    const { epoch, publicKey } = keys;
    if (view.secrets !== undefined && this.#durations.lasted(`no handshake by the preshared key of ${epoch}`, publicKey) >= DOUBT_MS)
      yield* this.#agreement(view, peer, keys, DOUBT_MS);
    const what = `no handshake in ${epoch}`;
    const tries = triesAfter(this.#durations.lasted(what, peer.name), firstTryMs(view, peer, keys));
    if (this.#durations.isMore(`${what}: tries`, peer.name, tries)) yield { do: 'kick', device: deviceOf(epoch), publicKey };
  }

  /** Neither side sends by it any more, and what was under way has arrived. */
  #isRetired({ view, sends }: Look, peer: PeerView, epoch: Epoch): boolean {
    const isOver = sends[peer.tx] > epoch && peer.record !== undefined && hasLeft(peer.record, epoch, view.name);
    return isOver && this.#durations.lasted(`have left ${epoch}`, peer.name) >= this.#times.drainMs;
  }

  *#record(look: Look): Generator<RotationAction> {
    const record = this.#ownRecord(look);
    if (record !== undefined && !isDeepStrictEqual(record, look.view.published)) yield { do: 'publish', record };
  }

  /** What the node has to say of itself: keys that are listened for, without those that no peer needs which knows of epochs. */
  #ownRecord(look: Look): WireGuardRecord | undefined {
    const { published, keys } = look.view;
    const newest = look.live[0]?.epoch;
    if (newest === undefined) return published === undefined ? undefined : { epochs: [], minTx: published.minTx, laggards: [] };
    const needed = look.live.filter((one) => one.epoch === newest || isNeeded(look, one)).reverse();
    const epochs = needed.map(({ epoch, device }) => {
      const kemKeyHash = look.view.secrets?.kemKeyHashes.get(epoch);
      return { epoch, publicKey: keys.get(epoch)!, port: WIREGUARD_PORTS[device], ...(kemKeyHash === undefined ? {} : { kemKeyHash }) };
    });
    return { epochs, ...this.#acknowledged(look, newest), ...blockedBy(look.view) };
  }

  #acknowledged({ view, sends }: Look, newest: Epoch): Pick<WireGuardRecord, 'minTx' | 'laggards'> {
    const before = view.published?.minTx ?? 0;
    const behind = view.peers.filter(
      ({ record, tx, withoutEpochs }) => sends[tx] < newest && record !== undefined && record.epochs.length > 0 && !withoutEpochs,
    );
    const patienceMs = LAGGING_MS + LAGGING_PER_PEER_MS * view.peers.length;
    const isEarly = behind.length > 0 && before < newest && this.#durations.lasted(`some are behind ${newest}`) < patienceMs;
    if (isEarly || behind.length > MAX_LAGGARDS) return { minTx: before, laggards: view.published?.laggards ?? [] };
    return { minTx: Math.max(before, newest), laggards: behind.map(({ name }) => name).sort() };
  }
}

/** Epochs whose keys are on their devices, the newest first, with what the devices have. */
function liveEpochs({ keys, devices }: RotationView): LiveEpoch[] {
  return [...keys]
    .filter(([epoch, own]) => devices[deviceOf(epoch)].publicKey === own)
    .sort(([a], [b]) => b - a)
    .map(([epoch]) => ({ epoch, device: deviceOf(epoch), peers: devices[deviceOf(epoch)].peers }));
}

/** Whichever peers they are for: what a node sends by is changed first, and what is alike on a device comes together, to be done in one call. */
const KINDS: readonly RotationAction['do'][] = ['send', 'close', 'agree', 'install', 'kick', 'quiet', 'remove'];

function byKind(one: RotationAction, other: RotationAction): number {
  return rankOf(one) - rankOf(other);
}

function rankOf(action: RotationAction): number {
  return 2 * KINDS.indexOf(action.do) + ('device' in action && action.device === 'odd' ? 1 : 0);
}

function install(view: RotationView, peer: PeerView, { epoch, publicKey }: PeerKeys): RotationAction {
  const device = deviceOf(epoch);
  // Who has been sent to by the epoch has its part of the session still, whichever of the two it is.
  const isLost = peer.tx === device;
  return { do: 'install', device, epoch, peer: peer.name, publicKey, begins: isLost || firstTryMs(view, peer, { epoch, publicKey }) === 0 };
}

/** How long after a peer was installed it is first asked for a handshake. */
function firstTryMs(view: RotationView, peer: PeerView, { epoch, publicKey }: PeerKeys): number {
  const { record } = peer;
  if (!begins(view, peer)) return record !== undefined && hasLeft(record, epoch - 1, view.name) ? ANSWER_MS : HELP_MS;
  // Who has agreed on a preshared key has installed the peer by it.
  const isKnown = peer.withoutEpochs === true || view.secrets?.agreed(epoch, publicKey) === true;
  return isKnown ? 0 : BEGIN_MS;
}

/** How many attempts there are within a time; one at its begin is none of these: it comes with the peer. */
function triesAfter(lastedMs: number, firstMs: number): number {
  const isWithPeer = firstMs === 0;
  return lastedMs < firstMs ? 0 : Math.floor((lastedMs - firstMs) / RETRY_MS) + (isWithPeer ? 0 : 1);
}

/** Who makes the handshake. One that knows of no epochs does so only when it has something to send. */
function begins({ name }: RotationView, peer: PeerView): boolean {
  return peer.withoutEpochs === true || name < peer.name;
}

/** Both publish hashes of KEM keys. */
function canAgree({ secrets }: RotationView, { record }: PeerView, epoch: Epoch): boolean {
  return secrets?.kemKeyHashes.has(epoch) === true && kemKeyHashOf(record, epoch) !== undefined;
}

/** A session without a preshared key, where that is not enough any more. */
function isBare({ secrets }: RotationView, installed: InstalledPeer): boolean {
  return secrets?.required === true && installed.confirmed && !installed.secret;
}

function newestOf(keys: RotationView['keys']): Epoch {
  return Math.max(0, ...keys.keys());
}

/** The epoch whose key is kept for a device; 0 for none. */
function epochOn({ keys }: RotationView, device: WireGuardDevice): Epoch {
  for (const epoch of keys.keys()) if (deviceOf(epoch) === device) return epoch;
  return 0;
}

/** By an epoch that others were told it has left only to those whom it named. */
function maySendBy({ published }: RotationView, peer: PeerView, epoch: Epoch): boolean {
  return peer.withoutEpochs === true || published === undefined || !hasLeft(published, epoch, peer.name);
}

/** No other node has a key of an epoch, but for those that any other key is as good for: nobody is waited for. */
function isDeserted({ peers }: RotationView, epoch: Epoch): boolean {
  return peers.every(({ record, withoutEpochs }) => withoutEpochs === true || keyOf(record, epoch) === undefined);
}

/**
 * In a mesh that is at an odd epoch a node needs an even key for those that know of no epochs: of the epoch before, which nobody else is told of. So
 * none of the mesh's own keys change when such a node comes. Before the first epoch there is none.
 */
function lacksEvenKey({ target, keys, peers }: RotationView): boolean {
  const isThere = newestOf(keys) === target && deviceOf(target) === 'odd' && target > 1;
  return isThere && [...keys.keys()].every((epoch) => deviceOf(epoch) === 'odd') && peers.some(({ withoutEpochs }) => withoutEpochs);
}

function blockedBy({ peers }: RotationView): Pick<WireGuardRecord, 'blockedBy'> {
  const names = peers.filter(({ withoutEpochs }) => withoutEpochs).map(({ name }) => name);
  return names.length === 0 ? {} : { blockedBy: names.sort().slice(0, MAX_BLOCKERS) };
}

/** Keys on devices that no node publishes: of nodes that are gone, and of those that have made new ones. */
function* strangers({ devices, keys, peers }: RotationView): Generator<RotationAction> {
  for (const epoch of keys.keys()) {
    const device = deviceOf(epoch);
    const has = devices[device].peers;
    if (has.size === countOf(peers, ({ record }) => has.has(keyOf(record, epoch) ?? ''))) continue;
    const known = new Set(peers.map(({ record }) => keyOf(record, epoch)));
    for (const publicKey of has.keys()) if (!known.has(publicKey)) yield { do: 'remove', device, publicKey };
  }
}

function countOf(peers: readonly PeerView[], isSo: (peer: PeerView) => boolean): number {
  let count = 0;
  for (const peer of peers) if (isSo(peer)) count++;
  return count;
}

/** Some peer sends by it, may do so, or is sent to. */
function isNeeded({ view, sends }: Look, { epoch, peers }: LiveEpoch): boolean {
  return view.peers.some(({ record, tx, withoutEpochs }) => {
    if (withoutEpochs) return false;
    if (sends[tx] === epoch) return true;
    const publicKey = keyOf(record, epoch);
    return publicKey !== undefined && (sends[tx] < epoch || peers.has(publicKey));
  });
}

/** Keys that the store does not name any more, after it has: nobody looks for them. */
function* wiped({ keys, published, devices, peers }: RotationView): Generator<RotationAction> {
  const newest = newestOf(keys);
  const hasOthers = peers.some(({ withoutEpochs }) => withoutEpochs);
  for (const epoch of keys.keys()) {
    if (hasOthers && deviceOf(epoch) === 'even') continue;
    if (epoch === newest || published === undefined || keyOf(published, newest) === undefined || keyOf(published, epoch) !== undefined)
      continue;
    const device: DeviceView = devices[deviceOf(epoch)];
    if (device.publicKey === keys.get(epoch) || device.publicKey === undefined) yield { do: 'wipe', device: deviceOf(epoch), epoch };
  }
}
