import { type Cancel, type Clock, messageOf, type Random } from '@isthmus/core';
import type { BfdCounters, BfdReport } from './bfd-report.ts';
import { BfdSession } from './bfd-session.ts';
import { type BfdSessionConfig, pathKey } from './bfd-settings.ts';
import type { BfdChannel, BfdTransport } from './bfd-transport.ts';
import type { ControlPacket } from './control-packet.ts';
import { diagnosticName } from './diagnostic.ts';
import { countDrop, type DropCounts, type DropReason } from './reception.ts';

/** What wanted sessions share. */
export interface BfdContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: BfdTransport;
}

/** TTL that all packets of a single hop have, RFC 5881 §5. */
const SINGLE_HOP_TTL = 255;
/** How often a channel that there is not, or that became useless, is tried again. */
const REOPEN_MS = 1000;

/** A session with its channel, which may come later and may have to be opened again, and its counters. */
export class WantedSession {
  readonly session: BfdSession;
  readonly #in: BfdContext;
  readonly #changed: () => void;
  readonly #dropped: DropCounts = {};
  #config: BfdSessionConfig;
  #channel: BfdChannel | undefined;
  #error: string | undefined;
  #cancelReopen: Cancel | undefined;
  #received = 0;
  #sent = 0;
  #unsent = 0;

  constructor(config: BfdSessionConfig, discriminator: number, context: BfdContext, changed: () => void) {
    this.#config = config;
    this.#in = context;
    this.#changed = changed;
    const { clock, random, transport } = context;
    this.session = new BfdSession(discriminator, config, {
      clock,
      random,
      changed,
      send: (bytes) => this.#send(bytes),
      settle: (then) => transport.settle(then),
    });
  }

  get path(): string {
    return pathKey(this.#config);
  }

  start(): void {
    this.#keepOpen();
    this.session.start();
  }

  /** Takes other timing and another least TTL; the path is the same. */
  configure(config: BfdSessionConfig): void {
    this.#config = config;
    this.#channel?.setMinTtl(this.#minTtl());
    this.session.configure(config);
  }

  receive(packet: ControlPacket): void {
    this.#received++; // Before whoever hears of a new state asks.
    const reason = this.session.receive(packet);
    if (reason === undefined) return;
    this.#received--;
    this.drop(reason);
  }

  drop(reason: DropReason): void {
    countDrop(this.#dropped, reason);
  }

  /** Tells the peer that this was wanted, then closes. */
  leave(done: () => void): void {
    this.#cancelReopen?.();
    this.session.leave(() => {
      this.#channel?.close();
      this.#channel = undefined;
      done();
    });
  }

  report(): BfdReport {
    const { session } = this;
    const { key, local, remote, interface: device, multihop } = this.#config;
    return {
      key,
      local,
      remote,
      ...(device === undefined ? {} : { interface: device }),
      multihop,
      state: session.state,
      remoteState: session.remote.state,
      diagnostic: diagnosticName(session.diagnostic),
      remoteDiagnostic: diagnosticName(session.remote.diagnostic),
      lost: session.lost,
      sinceMs: Math.round(this.#in.clock.now() - session.since),
      remoteIndependent: session.remote.independent,
      localDiscriminator: session.discriminator,
      remoteDiscriminator: session.remote.discriminator,
      transmitMs: session.transmitMs,
      detectionMs: session.detectionMs,
      counters: this.#counters(),
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }

  #counters(): BfdCounters {
    return {
      received: this.#received,
      sent: this.#sent,
      unsent: this.#unsent,
      dropped: this.#dropped,
      droppedByKernel: this.#channel?.dropped() ?? 0,
    };
  }

  #minTtl(): number {
    return this.#config.multihop ? (this.#config.minTtl ?? 1) : SINGLE_HOP_TTL;
  }

  #send(bytes: Uint8Array): void {
    if (this.#channel?.send(bytes)) this.#sent++;
    else this.#unsent++;
  }

  /** An address or an interface may come later than the wish, and an interface may go and come again. */
  #keepOpen(): void {
    if (this.#channel?.usable() === false) {
      this.#channel.close();
      this.#channel = undefined;
    }
    if (this.#channel === undefined) this.#open();
    this.#cancelReopen = this.#in.clock.after(REOPEN_MS, () => this.#keepOpen());
  }

  #open(): void {
    const before = this.#error;
    try {
      this.#channel = this.#in.transport.open({ ...this.#config, minTtl: this.#minTtl() });
      this.#error = undefined;
    } catch (error) {
      this.#error = messageOf(error);
    }
    if (this.#error !== before) this.#changed();
  }
}
