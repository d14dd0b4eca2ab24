import { ManualClock } from '@isthmus/core';
import { BfdSession, type BfdTiming } from './bfd-session.ts';
import { type ControlPacket, decodeControlPacket } from './control-packet.ts';

const TIMING: BfdTiming = { desiredMinTxMs: 50, requiredMinRxMs: 50, multiplier: 3 };
const OURS = 7;

/** A packet of a peer that is up at 50 ms x 3, unless told otherwise. */
function packet(more: Partial<ControlPacket> = {}): ControlPacket {
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

function rig(timing: Partial<BfdTiming> = {}, random = () => 0) {
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

describe('sending', () => {
  it('begins slowly, and says who it is and that it stands for itself', () => {
    const { clock, sent } = rig({}, () => 0.999999);
    clock.advance(2500);
    expect(sent.map(({ at }) => Math.round(at))).toEqual([0, 1000, 2000]);
    expect(sent[0]!.packet).toMatchObject({
      state: 'down',
      diagnostic: 0,
      independent: true,
      demand: false,
      multiplier: 3,
      myDiscriminator: OURS,
      yourDiscriminator: 0,
      desiredMinTx: 1_000_000,
      requiredMinRx: 50_000,
      requiredMinEchoRx: 0,
    });
  });

  it('is fast while up, with a poll until the peer has answered', () => {
    const { session, last, sent, clock } = rig();
    session.receive(packet({ state: 'init' }));
    expect(last()).toMatchObject({ state: 'up', poll: true, desiredMinTx: 50_000, yourDiscriminator: 9 });
    session.receive(packet({ final: true }));
    sent.length = 0;
    clock.advance(120);
    expect(sent.map(({ at }) => at)).toEqual([37.5, 75, 112.5]);
    expect(last().poll).toBe(false);
  });

  it('is no faster than the peer can receive, from its next word on', () => {
    const { session, up, sent, clock, alive } = rig();
    up();
    session.receive(packet({ requiredMinRx: 200_000 }));
    alive(400, { requiredMinRx: 200_000 });
    expect(sent.map(({ at }) => at)).toEqual([150, 300]);
    sent.length = 0;
    const now = clock.now();
    session.receive(packet({ requiredMinRx: 50_000 }));
    clock.advance(1);
    expect(sent[0]!.at).toBe(now); // The shorter interval since the last packet was over already.
  });

  it('is not periodic to a peer that wants none, which is answered none the less', () => {
    const { session, up, sent, alive } = rig();
    up();
    session.receive(packet({ requiredMinRx: 0 }));
    alive(500, { requiredMinRx: 0 });
    expect(sent).toEqual([]);
    session.receive(packet({ requiredMinRx: 0, poll: true }));
    expect(sent).toHaveLength(1);
    expect(sent[0]!.packet).toMatchObject({ final: true, poll: false });
  });

  it('is not periodic in the demand mode of the peer, except for a poll', () => {
    const { session, up, sent, alive } = rig();
    up();
    session.receive(packet({ demand: true }));
    alive(500, { demand: true });
    expect(sent).toEqual([]);
    session.configure({ ...TIMING, desiredMinTxMs: 60 });
    alive(100, { demand: true });
    expect(sent.length).toBeGreaterThan(1);
    expect(sent.every(({ packet: { poll } }) => poll)).toBe(true);
    session.receive(packet({ demand: true, final: true }));
    sent.length = 0;
    alive(500, { demand: true });
    expect(sent).toEqual([]);
  });

  it('answers a poll at once, whatever its own timer says', () => {
    const { session, up, sent, clock } = rig();
    up();
    session.receive(packet({ poll: true }));
    expect(sent).toEqual([{ at: clock.now(), packet: expect.objectContaining({ final: true, poll: false, state: 'up' }) }]);
  });

  it('goes on at the old interval until the peer knows the longer one', () => {
    const { session, up, sent, alive, clock } = rig();
    up();
    session.configure({ ...TIMING, desiredMinTxMs: 400 });
    expect(sent[0]!.packet).toMatchObject({ poll: true, desiredMinTx: 400_000 });
    alive(150);
    expect(sent.map(({ at }) => at)).toEqual([0, 37.5, 75, 112.5, 150]);
    session.receive(packet({ final: true }));
    sent.length = 0;
    const now = clock.now();
    alive(450);
    expect(sent.map(({ at }) => at - now)).toEqual([300]);
  });
});

describe('detection', () => {
  it('takes the multiplier of the peer times the slower of what it sends and what this side takes', () => {
    const { session } = rig({ requiredMinRxMs: 60 });
    const detection = (more: Partial<ControlPacket>): number => {
      session.receive(packet({ state: 'down', ...more }));
      return session.detectionMs;
    };
    expect(detection({ desiredMinTx: 50_000, multiplier: 3 })).toBe(180);
    expect(detection({ desiredMinTx: 70_000, multiplier: 3 })).toBe(210);
    expect(detection({ desiredMinTx: 70_000, multiplier: 5 })).toBe(350);
  });

  it('is exact', () => {
    const { clock, session, up, states } = rig();
    up();
    clock.advance(149.999);
    expect(session.state).toBe('up');
    clock.advance(0.001);
    expect(session.state).toBe('down');
    expect([session.diagnostic, session.lost, session.remote.discriminator]).toEqual([1, true, 0]);
    expect(states.at(-1)).toBe('down/down');
  });

  it('counts from the last packet, whenever it came', () => {
    const { clock, session, up } = rig();
    up();
    clock.advance(140);
    session.receive(packet());
    clock.advance(149);
    expect(session.state).toBe('up');
    clock.advance(1);
    expect(session.state).toBe('down');
  });

  it('becomes shorter with the packet that says so', () => {
    const { clock, session } = rig();
    session.receive(packet({ state: 'init', desiredMinTx: 1_000_000 }));
    expect(session.detectionMs).toBe(3000);
    session.receive(packet());
    clock.advance(150);
    expect(session.state).toBe('down');
  });

  it('keeps the longer time until the peer knows that it may be shorter', () => {
    const { session, up } = rig();
    up();
    session.configure({ ...TIMING, requiredMinRxMs: 20 });
    session.receive(packet({ desiredMinTx: 20_000 }));
    expect(session.detectionMs).toBe(150);
    session.receive(packet({ desiredMinTx: 20_000, final: true }));
    expect(session.detectionMs).toBe(60);
  });

  it('believes no timer before what had arrived was read', () => {
    const { clock, session, up, onSettle } = rig();
    up();
    onSettle((then) => {
      session.receive(packet()); // It lay in the socket while the process could not run.
      then();
    });
    clock.advance(150);
    expect(session.state).toBe('up');
    onSettle((then) => then());
    clock.advance(149);
    expect(session.state).toBe('up');
    clock.advance(1);
    expect(session.state).toBe('down');
  });

  it('does not end a session that was stopped while its socket was read', () => {
    const { clock, session, up, onSettle } = rig();
    up();
    let then = (): void => {};
    onSettle((fn) => (then = fn));
    clock.advance(150);
    session.stop();
    then();
    clock.advance(1000);
    expect(session.state).toBe('up');
  });

  it('forgets a peer that was never up', () => {
    const { clock, session } = rig();
    session.receive(packet({ state: 'down', desiredMinTx: 1_000_000 }));
    expect([session.state, session.remote.discriminator]).toEqual(['init', 9]);
    clock.advance(3000);
    expect([session.state, session.remote.discriminator, session.lost]).toEqual(['down', 0, false]);
  });

  it('drops to slow packets that say why', () => {
    const { clock, up, last, sent } = rig({}, () => 0.999999);
    up();
    clock.advance(150);
    expect(last()).toMatchObject({ state: 'down', diagnostic: 1, yourDiscriminator: 0, desiredMinTx: 1_000_000 });
    sent.length = 0;
    clock.advance(2500);
    expect(sent).toHaveLength(2);
  });
});

describe('the peer', () => {
  it('goes down: a failure, with its diagnostic', () => {
    const { session, up, last } = rig();
    up();
    session.receive(packet({ state: 'down', diagnostic: 1 }));
    expect([session.state, session.diagnostic, session.lost]).toEqual(['down', 3, true]);
    expect(last()).toMatchObject({ state: 'down', diagnostic: 3 });
  });

  it('goes AdminDown: no failure, and none when it comes back', () => {
    const { session, up, states } = rig();
    up();
    session.receive(packet({ state: 'admin-down', diagnostic: 7 }));
    expect([session.state, session.diagnostic, session.lost, states.at(-1)]).toEqual(['down', 3, false, 'down/admin-down']);
    session.receive(packet({ state: 'down' }));
    expect([session.state, session.lost]).toEqual(['init', false]);
  });

  it('that is lost and then says AdminDown is lost no more', () => {
    const { clock, session, up } = rig();
    up();
    clock.advance(150);
    session.receive(packet({ state: 'admin-down' }));
    expect(session.lost).toBe(false);
  });

  it('sends authenticated packets: they change nothing', () => {
    const { session } = rig();
    expect(session.receive(packet({ state: 'init', authenticated: true }))).toBe('authentication');
    expect([session.state, session.remote.discriminator]).toEqual(['down', 0]);
  });
});

describe('leaving', () => {
  it('says AdminDown as often as the peer can miss packets, then nothing', () => {
    const { clock, session, up, sent } = rig();
    up();
    let done = false;
    session.leave(() => (done = true));
    expect(session.receive(packet())).toBe('admin-down');
    clock.advance(100);
    expect(done).toBe(true);
    expect(sent.map(({ at, packet: { state, diagnostic } }) => [at, state, diagnostic])).toEqual([
      [0, 'admin-down', 7],
      [50, 'admin-down', 7],
      [100, 'admin-down', 7],
    ]);
    clock.advance(10_000);
    expect(sent).toHaveLength(3);
  });

  it('takes no time when nobody was heard', () => {
    const { session, sent } = rig();
    let done = false;
    session.leave(() => (done = true));
    expect(done).toBe(true);
    expect(sent.at(-1)!.packet.state).toBe('admin-down');
  });
});
