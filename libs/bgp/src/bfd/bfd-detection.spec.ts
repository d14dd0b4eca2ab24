import { packet, bfdRig as rig, TIMING } from '../../testing/bfd-session-rig.ts';
import type { ControlPacket } from './control-packet.ts';

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
