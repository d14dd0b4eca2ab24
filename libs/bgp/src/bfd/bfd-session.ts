import { type Cancel, type Clock, Machine, type Random } from '@isthmus/core';
import { BFD_MACHINE, type BfdEvent, type BfdState, EVENT_OF } from './bfd-machine.ts';
import { type ControlPacket, encodeControlPacket, PACKET_LENGTH } from './control-packet.ts';
import { DIAGNOSTICS, type Diagnostic } from './diagnostic.ts';
import { jittered, type MinIntervals, Negotiation, SLOW_US } from './intervals.ts';
import type { DropReason } from './reception.ts';
import { SilenceWatch } from './silence-watch.ts';

/** What may change of a session while it lives. */
export interface BfdTiming {
  readonly desiredMinTxMs: number;
  readonly requiredMinRxMs: number;
  readonly multiplier: number;
}

/** What a session lives in. */
export interface BfdSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  /** Sends a packet; the bytes are the sender's again when it returns. */
  readonly send: (bytes: Uint8Array) => void;
  /** Calls back when all that had arrived has been handed over. */
  readonly settle: (then: () => void) => void;
  /** The state of this side, or of the peer, is another one. */
  readonly changed: () => void;
}

/** What the last packet of the peer said. */
interface Remote {
  readonly state: BfdState;
  readonly diagnostic: number;
  readonly discriminator: number;
  readonly multiplier: number;
  readonly desiredMinTx: number;
  readonly requiredMinRx: number;
  readonly demand: boolean;
  readonly independent: boolean;
}

/** A peer that was not heard yet, or not for a detection time: RFC 5880 §6.8.1. */
const UNHEARD: Remote = {
  state: 'down',
  diagnostic: 0,
  discriminator: 0,
  multiplier: 0,
  desiredMinTx: 0,
  requiredMinRx: 1,
  demand: false,
  independent: false,
};

const US_PER_MS = 1000;
const diagnosticCode = (name: Diagnostic): number => DIAGNOSTICS.indexOf(name);
/** Longest time that copies of the last word take. */
const FAREWELL_MS = 500;

/**
 * One session in asynchronous mode, RFC 5880 §6.8, in the active role, without echo and authentication. The C bit is always set: this process
 * forwards nothing and routes nothing.
 */
export class BfdSession {
  readonly discriminator: number;
  readonly #in: BfdSurroundings;
  readonly #machine = new Machine(BFD_MACHINE);
  readonly #watch: SilenceWatch;
  readonly #negotiation: Negotiation;
  readonly #packet = new Uint8Array(PACKET_LENGTH);
  #timing: BfdTiming;
  #remote = UNHEARD;
  #diagnostic = 0;
  #since: number;
  #lost = false;
  #cancelTransmit: Cancel | undefined;
  #sentAt = 0;
  /** What the transmit timer was set by, in microseconds; 0 while it is not. */
  #scheduled = 0;

  /** @param discriminator not zero, and no other session's */
  constructor(discriminator: number, timing: BfdTiming, surroundings: BfdSurroundings) {
    this.discriminator = discriminator;
    this.#in = surroundings;
    this.#timing = timing;
    this.#negotiation = new Negotiation(this.#minima());
    this.#since = surroundings.clock.now();
    this.#watch = new SilenceWatch(surroundings.clock, surroundings.settle, () => this.#expired());
  }

  get state(): BfdState {
    return this.#machine.state;
  }

  get remote(): Readonly<Remote> {
    return this.#remote;
  }

  /** Number of the diagnostic that packets carry. */
  get diagnostic(): number {
    return this.#diagnostic;
  }

  /** When the state began, by the clock. */
  get since(): number {
    return this.#since;
  }

  /** Whether it was up and is not any more, and nobody wanted that: a failure, RFC 5882 §3.2. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Milliseconds between two packets of this side, before jitter. */
  get transmitMs(): number {
    return this.#interval() / US_PER_MS;
  }

  /** Milliseconds of silence that end the session, RFC 5880 §6.8.4; 0 while the peer was not heard. */
  get detectionMs(): number {
    const { multiplier, desiredMinTx } = this.#remote;
    return (multiplier * Math.max(this.#negotiation.inForce.rx, desiredMinTx)) / US_PER_MS;
  }

  start(): void {
    this.#transmit();
  }

  /** Changes intervals and multiplier, with a poll sequence. */
  configure(timing: BfdTiming): void {
    const changed = timing.multiplier !== this.#timing.multiplier;
    this.#timing = timing;
    if (this.#negotiation.change(this.#minima(), this.state === 'up') || changed) this.#transmit();
  }

  /** Takes a packet that is this session's, RFC 5880 §6.8.6 from its session on. @returns why it was dropped */
  receive(packet: ControlPacket): DropReason | undefined {
    if (packet.authenticated) return 'authentication';
    const before = this.#remote.state;
    this.#remote = { ...packet, discriminator: packet.myDiscriminator };
    if (packet.final) this.#negotiation.final();
    if (this.state === 'admin-down') return 'admin-down';
    this.#watch.heard(this.detectionMs);
    if (packet.state === 'admin-down') this.#lost = false;
    const stepped = this.#step(EVENT_OF[packet.state], 'neighbor-signaled-down');
    if (!stepped && before !== packet.state) this.#in.changed();
    if (packet.poll) this.#send({ final: true });
    this.#reschedule();
    return undefined;
  }

  /** Goes to AdminDown and says so, RFC 5880 §6.8.16. */
  disable(): void {
    this.#watch.stop();
    this.#step('disable', 'administratively-down');
  }

  /**
   * Goes to AdminDown for good. The peer is told as often as its detection time counts packets, at the interval that it takes: with one packet
   * a second, as §6.8.7 has it, one that got lost would look like a failure.
   */
  leave(done: () => void): void {
    const intervalMs = this.transmitMs;
    const known = this.#remote.discriminator !== 0 && intervalMs > 0;
    this.disable();
    const again = (left: number, spentMs: number): void => {
      if (left === 0 || spentMs + intervalMs > FAREWELL_MS) {
        this.stop();
        done();
        return;
      }
      this.#cancelTransmit?.();
      this.#cancelTransmit = this.#in.clock.after(intervalMs, () => {
        this.#send({ final: false });
        again(left - 1, spentMs + intervalMs);
      });
    };
    again(known ? this.#timing.multiplier - 1 : 0, 0);
  }

  /** Ends all timers; nothing is sent. */
  stop(): void {
    this.#watch.stop();
    this.#cancelTransmit?.();
    this.#cancelTransmit = undefined;
  }

  #minima(): MinIntervals {
    const tx = Math.round(this.#timing.desiredMinTxMs * US_PER_MS);
    return { tx: this.state === 'up' ? tx : Math.max(tx, SLOW_US), rx: Math.round(this.#timing.requiredMinRxMs * US_PER_MS) };
  }

  #expired(): void {
    const before = this.#remote.state;
    this.#remote = UNHEARD;
    if (this.#step('expired', 'detection-time-expired')) return;
    this.#reschedule();
    if (before !== UNHEARD.state) this.#in.changed();
  }

  /** @returns whether the state is another one */
  #step(event: BfdEvent, diagnostic: Diagnostic): boolean {
    const step = this.#machine.on(event);
    if (step === undefined || step.from === step.to) return false;
    if (step.to === 'up' || step.to === 'admin-down') this.#lost = false;
    else if (step.from === 'up') this.#lost = event !== 'remote-admin-down';
    if (step.to === 'up') this.#diagnostic = 0;
    else if (step.to !== 'init') this.#diagnostic = diagnosticCode(diagnostic);
    this.#since = this.#in.clock.now();
    this.#negotiation.change(this.#minima(), step.to === 'up');
    this.#transmit();
    this.#in.changed();
    return true;
  }

  /** Microseconds between periodic packets, RFC 5880 §6.8.7; 0 when there are none. */
  #interval(): number {
    const { requiredMinRx, demand, state } = this.#remote;
    if (requiredMinRx === 0) return 0;
    if (demand && state === 'up' && this.state === 'up' && !this.#negotiation.polling) return 0;
    return Math.max(this.#negotiation.inForce.tx, requiredMinRx);
  }

  #transmit(): void {
    if (this.#remote.requiredMinRx > 0) this.#send({ final: false });
    this.#sentAt = this.#in.clock.now();
    this.#schedule(this.#interval());
  }

  /** A changed interval counts from the last packet on. */
  #reschedule(): void {
    const interval = this.#interval();
    if (interval !== this.#scheduled) this.#schedule(interval);
  }

  #schedule(interval: number): void {
    this.#cancelTransmit?.();
    this.#cancelTransmit = undefined;
    this.#scheduled = interval;
    if (interval === 0) return;
    this.#wait(this.#sentAt + jittered(interval, this.#timing.multiplier, this.#in.random) / US_PER_MS);
  }

  /** A timer of whole milliseconds may be early: then the packet waits. */
  #wait(due: number): void {
    const { clock } = this.#in;
    this.#cancelTransmit = clock.after(Math.max(0, due - clock.now()), () => {
      if (clock.now() < due) this.#wait(due);
      else this.#transmit();
    });
  }

  #send({ final }: { final: boolean }): void {
    const { told, polling } = this.#negotiation;
    encodeControlPacket(
      {
        diagnostic: this.#diagnostic,
        state: this.state,
        poll: polling && !final,
        final,
        independent: true,
        multiplier: this.#timing.multiplier,
        myDiscriminator: this.discriminator,
        yourDiscriminator: this.#remote.discriminator,
        desiredMinTx: told.tx,
        requiredMinRx: told.rx,
      },
      this.#packet,
    );
    this.#in.send(this.#packet);
  }
}
