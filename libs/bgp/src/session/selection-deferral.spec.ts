import { ManualClock } from '@isthmus/core';
import { PLAIN_SESSION } from '../../testing/plain-session.ts';
import { Node, Session } from '../../testing/rib-session.ts';
import type { Negotiated } from '../capability/negotiated.ts';
import { MessageFramer } from '../message/framing.ts';
import type { ParsedUpdate } from '../message/parsed-update.ts';
import { parseUpdate } from '../message/update.ts';
import { type DeferralPeer, SELECTION_DEFERRAL_MS, SelectionDeferral } from './selection-deferral.ts';

const OFFERED = { restarting: false, notification: true, restartTime: 120, families: [] } as const;
const peer = (more: Partial<DeferralPeer> = {}, gracefulRestart: Negotiated['gracefulRestart'] = OFFERED): DeferralPeer => ({
  restartable: true,
  negotiated: { ...PLAIN_SESSION, ...(gracefulRestart && { gracefulRestart }) },
  complete: ['ipv4', 'ipv6'],
  ...more,
});

describe('selection deferral', () => {
  it.each<[string, boolean, DeferralPeer[]]>([
    ['ends when all peers have sent all', true, [peer(), peer()]],
    ['waits for one that has not sent a family', false, [peer(), peer({ complete: ['ipv4'] })]],
    ['waits for one that has no session', false, [peer(), peer({ negotiated: undefined, complete: [] })]],
    ['waits for none that is not offered graceful restart', true, [peer({ restartable: false, negotiated: undefined, complete: [] })]],
    ['waits for none that does not have graceful restart', true, [{ ...peer({ complete: [] }), negotiated: PLAIN_SESSION }]],
    ['waits for none that restarts itself', true, [peer({ complete: [] }, { ...OFFERED, restarting: true })]],
  ])('%s', (_, ends, peers) => {
    const clock = new ManualClock();
    let ended = 0;
    const deferral = new SelectionDeferral(clock, () => ended++);
    deferral.start();
    deferral.check(peers);
    expect(ended).toBe(ends ? 1 : 0);
    clock.advance(SELECTION_DEFERRAL_MS);
    deferral.check([]);
    expect(ended).toBe(1);
  });

  it('tells nobody once it is stopped', () => {
    const clock = new ManualClock();
    const deferral = new SelectionDeferral(clock, () => {
      throw new Error('told');
    });
    deferral.start();
    deferral.stop();
    clock.advance(SELECTION_DEFERRAL_MS);
    deferral.check([]);
  });
});

describe('a table that defers', () => {
  /** What a node has to tell a peer now. */
  const told = (node: Node, number: number): string[] => {
    const framer = new MessageFramer();
    framer.push(node.rib.nextUpdates(number, 65_536) ?? new Uint8Array(0));
    const updates: ParsedUpdate[] = [];
    for (let message = framer.next(); message; message = framer.next()) updates.push(parseUpdate(message.body, PLAIN_SESSION));
    return updates.flatMap(({ reach, withdrawn, endOfRib }) => [
      ...reach.map(({ bytes }) => `has ${bytes.join('.')}`),
      ...withdrawn.filter(({ bytes }) => bytes.length > 0).map(({ bytes }) => `lost ${bytes.join('.')}`),
      ...(endOfRib ? [`all of ${endOfRib}`] : []),
    ]);
  };

  it('tells own routes at once, and what it learned and that this is all only afterwards', () => {
    const [us, source, client] = [new Node(1), new Node(2), new Node(3)];
    us.rib.setDeferring(true);
    const session = new Session(source, us);
    source.rib.originate({ prefix: '10.2.0.0/16' });
    us.rib.originate({ prefix: '10.1.0.0/16' });
    const number = new Session(us, client).peer;
    session.run();
    expect(told(us, number)).toEqual(['has 16.10.1']);
    const dirty: number[] = [];
    us.rib.onDirty((one) => dirty.push(one));
    us.rib.setDeferring(false);
    expect(dirty).toContain(number);
    expect(told(us, number)).toEqual(['has 16.10.2', 'all of ipv4', 'all of ipv6']);
    expect(told(us, number)).toEqual([]);
  });
});
