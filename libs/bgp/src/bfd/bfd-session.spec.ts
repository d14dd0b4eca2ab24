import { OURS, packet, bfdRig as rig, TIMING } from '../../testing/bfd-session-rig.ts';

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

  it('waits for the rest when a timer of whole milliseconds is early', () => {
    const { clock, up, sent } = rig();
    const after = clock.after.bind(clock);
    clock.after = (ms, fn) => after(Math.max(0.1, Math.floor(ms)), fn);
    up();
    clock.advance(40);
    expect(sent).toHaveLength(1);
    expect(sent[0]!.at).toBeGreaterThanOrEqual(37.5);
  });

  it('has never both bits of a poll sequence in one packet', () => {
    const { session, up, sent } = rig();
    up();
    session.configure({ ...TIMING, desiredMinTxMs: 60 });
    session.receive(packet({ poll: true }));
    expect(sent.map(({ packet: { poll, final } }) => [poll, final])).toEqual([
      [true, false],
      [false, true],
    ]);
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
