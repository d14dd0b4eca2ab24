import { ManualClock } from '@isthmus/core';
import { ScriptedConnection, ScriptedTransport } from '../../testing/scripted-peer.ts';
import { frame, MESSAGE_TYPE } from '../message/framing.ts';
import { KEEPALIVE } from '../message/keepalive.ts';
import { encodeNotification } from '../message/notification.ts';
import { encodeOpen, type Open } from '../message/open.ts';
import { encodeRouteRefresh } from '../message/route-refresh.ts';
import { ourOpen } from './our-open.ts';
import { PeerSession, type SessionRoutes } from './peer-session.ts';
import type { SessionEnd } from './session-end.ts';
import type { SessionState } from './session-machine.ts';
import { SESSION_DEFAULTS, type SessionSettings } from './session-settings.ts';

const SETTINGS: SessionSettings = { address: '192.0.2.2', localAs: 65001, peerAs: 65002, routerId: '10.0.0.1', families: ['ipv4', 'ipv6'] };
const THEIRS: Open = ourOpen({ ...SETTINGS, localAs: 65002, routerId: '10.0.0.2' }, false);
const UPDATE = frame(MESSAGE_TYPE.update, new Uint8Array(4));

/** A session between the spec and scripted connections. */
function scripted(settings: Partial<SessionSettings> = {}) {
  const clock = new ManualClock();
  const transport = new ScriptedTransport();
  const states: SessionState[] = [];
  const ends: SessionEnd['kind'][] = [];
  const all = { ...SETTINGS, ...settings };
  let updates = 0;
  const routes: SessionRoutes = {
    open: () => ourOpen(all, false),
    up: () => {},
    update: () => void updates++,
    refresh: () => {},
    writable: () => {},
    down: (end) => void ends.push(end.kind),
  };
  const session = new PeerSession({ settings: all, transport, routes, clock, random: () => 0, onState: (state) => states.push(state) });
  const connected = async (): Promise<ScriptedConnection> => {
    session.start();
    return transport.attempts.at(-1)!.succeed();
  };
  const established = async (open = THEIRS): Promise<ScriptedConnection> => {
    const connection = await connected();
    connection.handshake(open);
    return connection;
  };
  return { clock, transport, states, ends, session, connected, established, updates: () => updates };
}

describe('a session', () => {
  it('goes from connecting to established, and hands on what comes then', async () => {
    const { states, established, session, updates } = scripted();
    const connection = await established();
    expect(states).toEqual(['connect', 'open-sent', 'open-confirm', 'established']);
    expect(connection.open).toMatchObject({ asn: 65001, routerId: '10.0.0.1', holdTime: 90 });
    expect(connection.types).toEqual([MESSAGE_TYPE.open, MESSAGE_TYPE.keepalive]);
    connection.receive(UPDATE);
    expect(updates()).toBe(1);
    expect(session.established?.theirs?.asn).toBe(65002);
  });

  it.each<[string, Partial<Open>, [number, number]]>([
    ['another AS', { asn: 65003 }, [2, 2]],
    ['the identifier 0.0.0.0', { routerId: '0.0.0.0' }, [2, 3]],
    ['a hold time of one second', { holdTime: 1 }, [2, 6]],
    ['a hold time of two seconds', { holdTime: 2 }, [2, 6]],
    ['no family in common', { capabilities: [{ kind: 'unknown', code: 1, value: Uint8Array.of(0, 25, 0, 70) }] }, [2, 7]],
  ])('refuses an OPEN with %s', async (_, wrong, [code, subcode]) => {
    const { established, session } = scripted();
    const connection = await established({
      ...THEIRS,
      ...wrong,
      capabilities: wrong.capabilities ?? THEIRS.capabilities.filter(({ kind }) => kind !== 'four-octet-as'),
    });
    expect(connection.notification).toMatchObject({ code, subcode });
    expect(connection.closed).toBe('ended');
    expect(session.state).toBe('idle');
  });

  it('refuses its own identifier in its own AS, and takes it from another', async () => {
    const inside = scripted({ peerAs: 65001 });
    const same = { ...ourOpen(SETTINGS, false) };
    expect((await inside.established(same)).notification).toMatchObject({ code: 2, subcode: 3 });
    const outside = scripted();
    await outside.established({ ...THEIRS, routerId: '10.0.0.1' });
    expect(outside.session.state).toBe('established');
  });

  it('takes any AS number when 0 is set', async () => {
    const { established, session } = scripted({ peerAs: 0 });
    await established({ ...THEIRS, asn: 65002 });
    expect(session.state).toBe('established');
  });

  it.each<[string, number, Uint8Array[]]>([
    ['a KEEPALIVE before the OPEN', 1, [KEEPALIVE]],
    ['an UPDATE before the OPEN', 1, [UPDATE]],
    ['an UPDATE before the KEEPALIVE', 2, [encodeOpen(THEIRS), UPDATE]],
    ['a second OPEN before the KEEPALIVE', 2, [encodeOpen(THEIRS), encodeOpen(THEIRS)]],
    ['a refresh before the KEEPALIVE', 2, [encodeOpen(THEIRS), encodeRouteRefresh('ipv4')]],
    ['an OPEN when established', 3, [encodeOpen(THEIRS), KEEPALIVE, encodeOpen(THEIRS)]],
  ])('answers %s with 5/%i', async (_, subcode, messages) => {
    const { connected, session } = scripted();
    const connection = await connected();
    connection.receive(...messages);
    expect(connection.notification).toMatchObject({ code: 5, subcode });
    expect(session.state).toBe('idle');
  });

  it('ends with 4/0 after the hold time without a message, and not before', async () => {
    const { clock, established, ends } = scripted();
    const connection = await established({ ...THEIRS, holdTime: 30 });
    clock.advance(29_000);
    connection.receive(KEEPALIVE);
    clock.advance(29_999);
    expect(connection.notification).toBeUndefined();
    clock.advance(1);
    expect(connection.notification).toMatchObject({ code: 4, subcode: 0 });
    expect(ends).toEqual(['failed']);
  });

  it('sends a KEEPALIVE each third of the hold time, and neither sends nor expects one without hold time', async () => {
    const count = ({ types }: ScriptedConnection): number => types.filter((type) => type === MESSAGE_TYPE.keepalive).length;
    const some = scripted();
    const connection = await some.established({ ...THEIRS, holdTime: 30 });
    for (let i = 0; i < 6; i++) {
      some.clock.advance(10_000);
      connection.receive(KEEPALIVE);
    }
    expect(count(connection)).toBe(1 + 6);
    const more = scripted({ keepaliveTime: 5 });
    const often = await more.established({ ...THEIRS, holdTime: 30 });
    more.clock.advance(10_000);
    expect(count(often)).toBe(1 + 2);
    const none = scripted({ holdTime: 0 });
    const silent = await none.established();
    none.clock.advance(86_400_000);
    expect(count(silent)).toBe(1);
    expect(none.session.state).toBe('established');
  });

  it('gives up a peer that reads nothing for the send hold time, without a NOTIFICATION', async () => {
    const { clock, established, session } = scripted();
    const connection = await established();
    connection.takes = false;
    for (let i = 0; i < 16; i++) {
      clock.advance(30_000);
      connection.receive(KEEPALIVE);
    }
    expect(session.state).toBe('established');
    clock.advance(30_000);
    expect(connection.closed).toBe('destroyed');
    expect(session.lastError).toContain('send hold timer expired');
  });

  it('shows what the peer said when it ended the session', async () => {
    const { established, session, ends } = scripted();
    const connection = await established();
    connection.receive(encodeNotification({ code: 6, subcode: 2, text: 'maintenance' }));
    expect(session.lastError).toContain('administrative shutdown (6/2) ("maintenance")');
    expect(ends).toEqual(['told']);
  });
});

describe('trying again', () => {
  it('connects anew when nobody answers, and when the peer refuses', async () => {
    const { clock, session, transport } = scripted({ connectRetryMs: 1000 });
    session.start();
    clock.advance(1000);
    expect(transport.attempts.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    await transport.attempts[1]!.fail(new Error('refused'));
    expect([session.state, session.lastError]).toEqual(['active', 'refused']);
    clock.advance(1000);
    expect([session.state, transport.attempts.length]).toEqual(['connect', 3]);
  });

  it('waits longer after each failure in a row', async () => {
    const { clock, session, transport } = scripted();
    session.start();
    for (const wait of [1000, 2000, 4000]) {
      const connection = await transport.attempts.at(-1)!.succeed();
      connection.handshake({ ...THEIRS, holdTime: 1 });
      const before = transport.attempts.length;
      clock.advance(wait - 1);
      expect(transport.attempts.length).toBe(before);
      clock.advance(1);
      expect(transport.attempts.length).toBe(before + 1);
    }
  });

  it('never connects when it is passive', () => {
    const { clock, session, transport } = scripted({ passive: true });
    session.start();
    clock.advance(3_600_000);
    expect([session.state, transport.attempts.length]).toEqual(['active', 0]);
    const connection = new ScriptedConnection();
    session.accept(connection);
    connection.handshake(THEIRS);
    expect(session.state).toBe('established');
  });

  it('stays down after a shutdown until it is started, and turns connections away', async () => {
    const { clock, established, session, transport } = scripted();
    const connection = await established();
    session.shutdown('moving');
    expect(connection.notification).toMatchObject({ code: 6, subcode: 2, text: 'moving' });
    const early = new ScriptedConnection();
    session.accept(early);
    expect(early.notification).toMatchObject({ code: 6, subcode: 5 });
    clock.advance(3_600_000);
    expect(transport.attempts).toHaveLength(1);
    session.start();
    expect(session.state).toBe('connect');
  });
});

describe('two connections at a time', () => {
  it.each([
    ['ours, because our identifier is greater', '10.0.0.0', 'ours'],
    ['theirs, because their identifier is greater', '10.0.0.2', 'theirs'],
    ['theirs, because of equal identifiers their AS number is greater', '10.0.0.1', 'theirs'],
  ])('keeps %s', async (_, routerId, stays) => {
    const { connected, session, states } = scripted();
    const connections = { ours: await connected(), theirs: new ScriptedConnection() };
    session.accept(connections.theirs);
    const open = { ...THEIRS, routerId };
    connections.ours.receive(encodeOpen(open));
    connections.theirs.receive(encodeOpen(open));
    const loser = stays === 'ours' ? 'theirs' : 'ours';
    expect(connections[loser].notification).toMatchObject({ code: 6, subcode: 7 });
    connections[stays as 'ours'].receive(KEEPALIVE);
    expect(connections[stays as 'ours'].notification).toBeUndefined();
    expect(states.at(-1)).toBe('established');
    expect(session.lastError).toBeUndefined();
  });

  it('turns away another connection of a peer that is up', async () => {
    const { established, session } = scripted();
    await established();
    const second = new ScriptedConnection();
    session.accept(second);
    expect(second.notification).toMatchObject({ code: 6, subcode: 7 });
    expect(session.state).toBe('established');
  });

  it('takes the new connection for a restart when the peer has graceful restart', async () => {
    const settings = { gracefulRestart: { restartTime: 120 } };
    const { clock, established, session, ends } = scripted(settings);
    const open = ourOpen({ ...SETTINGS, ...settings, localAs: 65002, routerId: '10.0.0.2' }, false);
    const first = await established(open);
    const crossed = new ScriptedConnection();
    session.accept(crossed);
    expect([crossed.notification, session.state]).toMatchObject([{ code: 6, subcode: 7 }, 'established']);
    clock.advance(SESSION_DEFAULTS.crossingMs);
    const second = new ScriptedConnection();
    session.accept(second);
    second.handshake(open);
    expect([first.closed, first.notification, ends, session.state]).toEqual(['destroyed', undefined, ['lost'], 'established']);
  });

  it.each(['ours', 'theirs'])(
    'keeps a session that is up, on a connection of %s, until the new one has shown a good OPEN',
    async (initiator) => {
      const settings = { gracefulRestart: { restartTime: 120 } };
      const { clock, established, session, ends } = scripted(settings);
      const open = ourOpen({ ...SETTINGS, ...settings, localAs: 65002, routerId: '10.0.0.2' }, false);
      const first = initiator === 'ours' ? await established(open) : new ScriptedConnection();
      if (initiator === 'theirs') {
        session.start();
        session.accept(first);
        first.handshake(open);
      }
      clock.advance(SESSION_DEFAULTS.crossingMs);
      const silent = new ScriptedConnection();
      session.accept(silent);
      const stranger = new ScriptedConnection();
      session.accept(stranger);
      stranger.handshake(ourOpen({ ...SETTINGS, localAs: 65003, routerId: '10.0.0.3' }, false));
      expect([silent, stranger].map(({ notification }) => [notification?.code, notification?.subcode])).toEqual([
        [6, 7],
        [2, 2],
      ]);
      first.receive(KEEPALIVE);
      expect([first.closed, ends, session.state]).toEqual([undefined, [], 'established']);
    },
  );

  it('stops connecting when the peer’s connection is established', async () => {
    const { clock, session, transport } = scripted();
    session.start();
    const theirs = new ScriptedConnection();
    session.accept(theirs);
    theirs.handshake(THEIRS);
    expect(transport.attempts[0]!.signal.aborted).toBe(true);
    clock.advance(60_000);
    expect([session.state, transport.attempts.length]).toEqual(['established', 1]);
  });
});

describe('going', () => {
  it('leaves without a NOTIFICATION, and removes with one', async () => {
    const one = scripted();
    const left = await one.established();
    one.session.leave();
    expect([left.notification, left.closed, one.ends]).toEqual([undefined, 'ended', ['left']]);
    const two = scripted();
    const removed = await two.established();
    two.session.remove();
    expect(removed.notification).toMatchObject({ code: 6, subcode: 3 });
  });

  it('removes with a hard reset where a Cease alone would leave the routes', async () => {
    const settings = { gracefulRestart: { restartTime: 120 } };
    const { established, session } = scripted(settings);
    const connection = await established(ourOpen({ ...SETTINGS, ...settings, localAs: 65002, routerId: '10.0.0.2' }, false));
    session.remove();
    expect(connection.notification).toMatchObject({ code: 6, subcode: 9, inner: 3 });
  });
});
