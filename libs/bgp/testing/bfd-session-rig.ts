import { ManualClock } from '@isthmus/core';
import { BfdSession, type BfdTiming } from '../src/bfd/bfd-session.ts';
import { type ControlPacket, decodeControlPacket } from '../src/bfd/control-packet.ts';

/** 150 ms of silence. */
export const TIMING: BfdTiming = { desiredMinTxMs: 50, requiredMinRxMs: 50, multiplier: 3 };
/** Discriminator of the session. */
export const OURS = 7;

/** A packet of a peer that is up at 50 ms x 3, unless told otherwise. */
export function packet(more: Partial<ControlPacket> = {}): ControlPacket {
  return {
    version: 1,
    diagnostic: 0,
    state: 'up',
    poll: false,
    final: false,
    independent: false,
    authenticated: false,
    demand: false,
    multipoint: false,
    multiplier: 3,
    length: 24,
    myDiscriminator: 9,
    yourDiscriminator: OURS,
    desiredMinTx: 50_000,
    requiredMinRx: 50_000,
    requiredMinEchoRx: 0,
    ...more,
  };
}

/** A session on a clock by hand, with what it sent, and its states as `own/peer`. */
export function bfdRig(timing: Partial<BfdTiming> = {}, random = () => 0) {
  const clock = new ManualClock();
  const sent: { at: number; packet: ControlPacket }[] = [];
  const states: string[] = [];
  let settle = (then: () => void): void => then();
  const session: BfdSession = new BfdSession(
    OURS,
    { ...TIMING, ...timing },
    {
      clock,
      random,
      send: (bytes) => sent.push({ at: clock.now(), packet: decodeControlPacket(bytes)! }),
      settle: (then) => settle(then),
      changed: () => states.push(`${session.state}/${session.remote.state}`),
    },
  );
  session.start();
  const last = (): ControlPacket => sent.at(-1)!.packet;
  const up = (): void => {
    session.receive(packet({ state: 'down', yourDiscriminator: 0 }));
    session.receive(packet());
    session.receive(packet({ final: true }));
    sent.length = 0;
  };
  /** Advances with a packet from the peer every 50 ms. */
  const alive = (ms: number, more: Partial<ControlPacket> = {}): void => {
    for (let spent = 0; spent < ms; spent += 50) {
      clock.advance(50);
      session.receive(packet(more));
    }
  };
  return { clock, session, sent, states, last, up, alive, onSettle: (fn: typeof settle) => (settle = fn) };
}
