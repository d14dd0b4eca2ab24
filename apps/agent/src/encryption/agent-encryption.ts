import { type Clock, CodedError, delay, Feed, LOG, type Log, messageOf, Notifier, type Table } from '@isthmus/core';
import {
  EpochKeyFolder,
  hasNewsOfWanted,
  type LookPace,
  lookPace,
  MeetingPatience,
  type MeshTarget,
  PAIR_EXCHANGE_CERTIFICATE,
  PairSecretFolder,
  PairSecrets,
  type PeerPlace,
  type PeerView,
  RotationRunner,
  systemRandomBytes,
  type WireGuardDevice,
  type WireGuardRecord,
} from '@isthmus/crypto';
import { MarkBits } from '@isthmus/datapath';
import type { Config } from '@isthmus/model';
import type { AgentFacts } from '../agent-facts.ts';
import type { StateFolder } from '../state/state-folder.ts';
import type { AgentTables } from '../tables/agent-tables.ts';
import type { EncryptionHands, InTheClear, OpenEncryption } from './encryption-hands.ts';
import { type EncryptionStatus, encryptionStatus } from './encryption-status.ts';
import { EncryptionTables } from './encryption-tables.ts';
import { excludedPeers } from './excluded-peers.ts';
import { KeyExchange, type NodeCredential } from './key-exchange.ts';
import { KeyHistoryFile } from './key-history-file.ts';
import { OwnKeys } from './own-keys.ts';
import { pairFacts } from './pair-facts.ts';
import { placeOfNode } from './peer-place.ts';
import { RotationWatch } from './rotation-watch.ts';
import { WIREGUARD_NAMES, WireGuardDevices, wireguardFolder } from './wireguard-devices.ts';

/** How long a kernel map may take to get a row. */
const SETTLE_MS = 10_000;
/** Time between two attempts to get the devices. */
const REOPEN_MS = 2_000;

/** What the encryption of a node works with. */
export interface AgentEncryptionOptions {
  readonly config: Config;
  readonly facts: AgentFacts;
  readonly clock: Clock;
  readonly log: Log;
  readonly tables: AgentTables;
  readonly state: StateFolder;
}

/**
 * Keeps a node's keys and sessions as the mesh's target wants them: a look at everything that concerns them, and whatever {@link RotationRunner} says
 * follows from it. Nothing is remembered that a restart would lose.
 */
export class AgentEncryption {
  readonly #options: AgentEncryptionOptions;
  readonly #tables: EncryptionTables;
  readonly #devices: WireGuardDevices;
  readonly #keys: OwnKeys;
  readonly #wake = new Notifier();
  readonly #looked = new Notifier();
  #problem: string | undefined;
  readonly #secrets: PairSecrets;
  readonly #watch = new RotationWatch();
  readonly #patience = new MeetingPatience();
  #exchange: KeyExchange | undefined;
  #runner: RotationRunner | undefined;
  /** What this process said last of its keys: what stands in the store may be older. */
  #said: WireGuardRecord | undefined;
  #inTheClear: InTheClear = { exempt: [], isOptedOut: false };

  constructor(options: AgentEncryptionOptions) {
    this.#options = options;
    const { config, facts, clock, log, state } = options;
    const served = { isExcluded: excludedPeers(config), servesAll: config['wireguard-pq'] !== 'required' };
    this.#tables = new EncryptionTables(options.tables, facts, served);
    this.#devices = new WireGuardDevices(facts.wireguardMtu);
    const folder = wireguardFolder(config['state-dir']);
    this.#keys = new OwnKeys({ folder: new EpochKeyFolder(folder), past: new KeyHistoryFile(state), clock, log });
    this.#secrets = new PairSecrets(new PairSecretFolder(folder), config['wireguard-pq'] !== 'off');
  }

  /** Without a certificate no preshared keys are agreed on. @throws CodedError PAIR_EXCHANGE_CERTIFICATE where they are required */
  checkCredential(credential: NodeCredential | undefined): void {
    const { config, log } = this.#options;
    if (credential !== undefined || config['wireguard-pq'] === 'off') return;
    const problem = 'the etcd configuration names no certificate of this node';
    if (config['wireguard-pq'] === 'required') throw new CodedError(PAIR_EXCHANGE_CERTIFICATE, problem, { object: 'wireguard-pq' });
    log.warn({ [LOG.reason]: problem }, 'no preshared keys are agreed on');
  }

  /** Makes the devices, or takes over those that are there. Tries until it can. */
  async open(inTheClear: InTheClear, signal: AbortSignal): Promise<OpenEncryption> {
    this.#inTheClear = inTheClear;
    const { clock } = this.#options;
    await this.#keys.checkFolder();
    for (;;) {
      try {
        const ifindex = await this.#devices.open();
        this.#tell(undefined);
        return { ifindex, exempt: inTheClear.exempt, node: this.#encryptsNode };
      } catch (error) {
        this.#tell(error);
      }
      await delay(clock, REOPEN_MS, signal);
    }
  }

  /** See {@link EncryptionTables.adopt}. */
  adopt(tx: ReadonlyMap<string, WireGuardDevice>): void {
    this.#tables.adopt(tx);
  }

  /** Whether the labels of the node have its own packets left in the clear. */
  get isOptedOut(): boolean {
    return this.#inTheClear.isOptedOut;
  }

  get #encryptsNode(): boolean {
    return this.#options.config['encrypt-node'] && !this.isOptedOut;
  }

  /** Why nothing can be done at present; undefined when all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** What is told to those who know of no epochs: the key that is listened for at WireGuard's first port, or the only one that there is. */
  publicKey(): string | undefined {
    return this.#keys.firstPort();
  }

  /** Runs until the signal aborts. What is on the devices stays. */
  async run(hands: EncryptionHands, signal: AbortSignal): Promise<void> {
    const { tables, clock } = this.#options;
    const exchange = this.#newExchange(hands.credential);
    const runner = this.#newRunner(hands, exchange, signal);
    this.#runner = runner;
    this.#exchange = exchange;
    const answering = exchange?.run(signal);
    const stop = this.#listen();
    signal.addEventListener('abort', () => this.#wake.notify(), { once: true });
    try {
      await tables.store.changed.until(() => hands.complete(), signal);
      while (!signal.aborted) {
        const woken = this.#wake.wait();
        const { restMs, pauseMs } = await this.#step(runner, hands, signal);
        const cancel = clock.after(pauseMs, () => this.#wake.notify());
        await Promise.all([woken, delay(clock, restMs, signal)]);
        cancel();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      stop();
      await answering;
    }
  }

  /** What people are shown. */
  status(): EncryptionStatus {
    const { config, clock } = this.#options;
    return encryptionStatus({
      node: this.#tables.name,
      strict: config['encryption-strict-mode'],
      encryptNode: this.#encryptsNode,
      implementation: this.#devices.implementation,
      problem: this.#problem ?? this.#exchange?.problem,
      exempt: this.#inTheClear.exempt.map(({ protocol, ports, purpose }) => ({ protocol, ports, what: purpose })),
      keys: this.#keys.public,
      past: this.#keys.past,
      rotation: this.#watch.figures,
      devices: this.#runner?.seen ?? { even: undefined, odd: undefined },
      peers: this.#tables.peers(this.#keys.public),
      isExcluded: this.#tables.isExcluded,
      preshared: {
        mode: config['wireguard-pq'],
        agreed: (epoch, publicKey) => this.#secrets.agreed(epoch, publicKey),
        failureOf: (peer) => this.#exchange?.agreements.failureOf(peer),
      },
      target: this.#target(),
      targets: this.#tables.targets(),
      now: clock.wall() / 1000,
    });
  }

  async #step(runner: RotationRunner, hands: EncryptionHands, signal: AbortSignal): Promise<LookPace> {
    const { clock } = this.#options;
    try {
      const before = this.publicKey();
      const actions = await runner.step();
      if (this.publicKey() !== before) hands.onPublicKey();
      // What an earlier agent said is said by this one from now on.
      const stands = this.#said ?? this.#tables.published();
      const isNew = (record: WireGuardRecord): boolean =>
        this.#said === undefined || hasNewsOfWanted(this.#target(), { ...record, wanted: this.#tables.publishedWanted() });
      if (stands !== undefined && isNew(stands)) this.#publish(stands, hands);
      for (const action of actions)
        if (action.do !== 'quiet' && action.do !== 'kick')
          this.#options.log.debug({ action: action.do, ...nameless(action) }, 'encryption');
      this.#tell(undefined);
      const peers = this.#tables.peers(this.#keys.public);
      const isMoving = this.#isMoving(peers);
      const devices = this.#devices.sights(this.#keys.public.keys());
      this.#watch.look({ target: this.#target().epoch, devices, isMoving }, clock.now());
      return lookPace({ acted: actions.length > 0, waits: isMoving }, peers.length);
    } catch (error) {
      if (!signal.aborted) this.#tell(error);
      return lookPace({ acted: false, waits: false }, 0);
    } finally {
      this.#looked.notify();
    }
  }

  /** A failure is told when it begins, and when it is over. */
  #tell(error: unknown): void {
    const problem = error === undefined ? undefined : messageOf(error);
    if (problem !== undefined && problem !== this.#problem) this.#options.log.warn({ [LOG.error]: error }, 'encryption: is tried again');
    if (problem === undefined && this.#problem !== undefined) this.#options.log.info({}, 'encryption: works again');
    this.#problem = problem;
  }

  /** While somebody is not reached yet by the newest keys there will soon be something to do. */
  #isMoving(peers: readonly PeerView[]): boolean {
    return (
      this.#keys.public.size !== 1 ||
      this.#keys.newest < this.#target().epoch ||
      peers.some(({ tx, record }) => tx === 'closed' && record !== undefined)
    );
  }

  #listen(): () => void {
    const { tables } = this.#options;
    const feeds = this.#tables.watched.map((table) => new Feed(table as Table<object>));
    return tables.store.changed.listen(() => {
      let moved = false;
      for (const feed of feeds) while (feed.pending) moved = feed.next(1000) !== undefined || moved;
      if (moved) this.#wake.notify();
    });
  }

  #target(): MeshTarget {
    const { newest } = this.#keys;
    return this.#patience.settled(this.#tables.target(newest), newest, this.#options.clock.now());
  }

  /** @returns undefined where no preshared keys are agreed on */
  #newExchange(credential: NodeCredential | undefined): KeyExchange | undefined {
    const { config, facts, clock, log } = this.#options;
    if (credential === undefined || config['wireguard-pq'] === 'off') return undefined;
    const own = pairFacts({
      tables: this.#tables,
      store: this.#options.tables.store,
      ownKey: (epoch) => this.#keys.public.get(epoch),
      placeOf: (peer) => this.#placeOf(peer),
      looked: this.#looked,
      runner: () => this.#runner,
    });
    const onAgreed = (): void => this.#wake.notify();
    return new KeyExchange({ address: facts.hostIp, secrets: this.#secrets, credential, facts: own, clock, log, onAgreed });
  }

  #placeOf(peer: string): PeerPlace | undefined {
    const node = this.#tables.node(peer);
    return node && placeOfNode(node, this.#options.facts.hostIp.includes(':') ? 6 : 4);
  }

  #newRunner(hands: EncryptionHands, exchange: KeyExchange | undefined, signal: AbortSignal): RotationRunner {
    const { settled } = hands;
    const { config, clock } = this.#options;
    return new RotationRunner({
      name: this.#tables.name,
      times: { drainMs: config['wireguard-drain'] * 1000, maxOverlapMs: config['wireguard-max-overlap'] * 1000 },
      clock,
      random: systemRandomBytes,
      keys: this.#keys,
      wireguard: this.#devices.port,
      devices: WIREGUARD_NAMES,
      mark: MarkBits.kindEncrypted,
      ensureDevice: (device) => this.#devices.ensure(device),
      opened: (device) => this.#devices.opened(device),
      target: () => this.#target().epoch,
      published: () => this.#tables.published(),
      publish: async (record) => this.#publish(record, hands),
      peers: () => this.#tables.peers(this.#keys.public),
      placeOf: (peer) => this.#placeOf(peer),
      preshared: { secrets: this.#secrets, agreements: exchange?.agreements, required: config['wireguard-pq'] === 'required' },
      send: (peer, device) => this.#send(peer, device, settled, signal),
      close: (peer) => this.#send(peer, undefined, settled, signal),
    });
  }

  #publish(record: WireGuardRecord, { publish }: EncryptionHands): void {
    this.#said = record;
    const { cluster, clusterId, node: name } = this.#options.facts;
    const { wanted } = this.#target();
    publish({ cluster, clusterId, name, ...record, ...(wanted && { wanted }) });
  }

  /** Done when the kernel has it. */
  async #send(peer: string, device: WireGuardDevice | undefined, settled: EncryptionHands['settled'], signal: AbortSignal): Promise<void> {
    const { addresses, revision } = this.#tables.send(peer, device);
    const until = AbortSignal.any([AbortSignal.timeout(SETTLE_MS), signal]);
    await Promise.all(addresses.map((ip) => settled(ip, revision, until)));
  }
}

/** What a log may say of an action: public keys are of no use to who reads it. */
function nameless(action: object): object {
  const { device, epoch, peer } = action as { device?: string; epoch?: number; peer?: string };
  return { device, epoch, peer };
}
