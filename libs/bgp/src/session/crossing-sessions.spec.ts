import { ManualClock, seededRandom } from '@isthmus/core';
import { settled } from '../../testing/scripted-peer.ts';
import { wire } from '../../testing/wire.ts';
import { ourOpen } from './our-open.ts';
import { PeerSession, type SessionRoutes } from './peer-session.ts';
import type { SessionSettings } from './session-settings.ts';

// Two speakers that connect to each other at the same time, with bytes that take different times both ways: RFC 4271 §6.8.

const RUNS = 200;
const SETTLED_MS = 5_000;
const WATCHED_MS = 60_000;
const ENDS = [
  { address: '192.0.2.1', routerId: '10.0.0.1' },
  { address: '192.0.2.2', routerId: '10.0.0.2' },
] as const;

/** Both sessions, and how often each was up. */
function pair(seed: number, settings: Partial<SessionSettings>) {
  const clock = new ManualClock();
  const random = seededRandom(seed);
  const ups = [0, 0];
  const sessions: PeerSession[] = ENDS.map(({ address, routerId }, i) => {
    const other = ENDS[1 - i]!;
    const all: SessionSettings = { address: other.address, localAs: 65001, peerAs: 65001, routerId, families: ['ipv4'], ...settings };
    const routes: SessionRoutes = {
      open: () => ourOpen(all, false),
      up: () => void ups[i]!++,
      update: () => {},
      refresh: () => {},
      writable: () => {},
      down: () => {},
    };
    const transport = wire(
      address,
      () => ({ address: other.address, accept: (connection) => sessions[1 - i]!.accept(connection) }),
      clock,
      random,
    );
    return new PeerSession({ settings: all, transport, routes, clock, random, onState: () => {} });
  });
  const pass = async (ms: number, stepMs: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      clock.advance(stepMs);
      await settled();
    }
  };
  return { clock, random, sessions, ups, pass };
}

it.each<[string, Partial<SessionSettings>]>([
  ['with graceful restart', { gracefulRestart: { restartTime: 120 } }],
  ['without', {}],
])('speakers that connect at the same time are soon up and stay so, %s', async (_, settings) => {
  const wrong: string[] = [];
  let again = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    const { sessions, ups, pass, random, clock } = pair(seed, settings);
    for (const session of sessions) clock.after(50 * random(), () => session.start());
    await pass(SETTLED_MS, 5);
    const before = [...ups];
    await pass(WATCHED_MS, 100);
    const states = sessions.map(({ state }) => state).join();
    if (states !== 'established,established' || before.join() !== ups.join()) wrong.push(`seed ${seed}: ${states} ${before} ${ups}`);
    if (Math.max(...ups) > 1) again++;
  }
  expect(wrong).toEqual([]);
  expect(again).toBeLessThanOrEqual(RUNS / 20); // Each side may end the connection that the other one keeps.
});
