import { ManualClock } from '@isthmus/core';
import { PLAIN_SESSION } from '../../testing/plain-session.ts';
import type { Negotiated, PeerRestart } from '../capability/negotiated.ts';
import { BgpError } from '../error/bgp-error.ts';
import type { RoutedFamily } from '../family/routed-family.ts';
import { KeptRoutes, keepsRoutes } from './kept-routes.ts';
import type { SessionEnd } from './session-end.ts';

const BOTH: PeerRestart['families'] = [
  { family: 'ipv4', forwarding: true },
  { family: 'ipv6', forwarding: true },
];

function negotiated(restart?: Partial<PeerRestart>): Negotiated {
  return {
    ...PLAIN_SESSION,
    ...(restart === undefined
      ? {}
      : { gracefulRestart: { restarting: false, notification: false, restartTime: 120, families: BOTH, ...restart } }),
  };
}

const failed = (code: number): SessionEnd => ({ kind: 'failed', error: new BgpError({ code, subcode: 1, reason: '' }), reason: '' });
const told = (code: number, subcode: number): SessionEnd => ({ kind: 'told', code, subcode, reason: '' });
const lost: SessionEnd = { kind: 'lost', reason: '' };

describe('keepsRoutes', () => {
  it.each<[string, SessionEnd, Partial<PeerRestart> | undefined, boolean]>([
    ['a lost connection', lost, {}, true],
    ['a lost connection without graceful restart', lost, undefined, false],
    ['a lost connection of a peer that keeps no family', lost, { families: [] }, false],
    ['a NOTIFICATION', told(6, 4), {}, false],
    ['a NOTIFICATION with the N bit', told(6, 4), { notification: true }, true],
    ['a hard reset', told(6, 9), { notification: true }, false],
    ['a hold timer that ran out', failed(4), {}, false],
    ['a hold timer that ran out, with the N bit', failed(4), { notification: true }, true],
    ['a broken message, with the N bit', failed(3), { notification: true }, false],
    ['an end from here', { kind: 'ceased', subcode: 2, reason: '' }, { notification: true }, false],
    ['leaving', { kind: 'left', reason: '' }, { notification: true }, false],
  ])('%s', (_, end, restart, keeps) => {
    expect(keepsRoutes(end, negotiated(restart))).toBe(keeps);
  });
});

describe('KeptRoutes', () => {
  function kept() {
    const clock = new ManualClock();
    const swept: (RoutedFamily | 'all')[] = [];
    const longLived: RoutedFamily[] = [];
    return {
      clock,
      swept,
      longLived,
      routes: new KeptRoutes(clock, { sweep: (family) => swept.push(family ?? 'all'), keepLongLived: (family) => longLived.push(family) }),
    };
  }

  it('drops all when the peer is not back in its restart time', () => {
    const { clock, routes, swept } = kept();
    routes.keep(negotiated({ restartTime: 10 }));
    clock.advance(9_999);
    expect(swept).toEqual([]);
    clock.advance(1);
    expect([swept, routes.families]).toEqual([['all'], []]);
  });

  it('drops the families at once that the peer does not preserve', () => {
    const { routes, swept } = kept();
    routes.keep(negotiated({ families: [{ family: 'ipv4', forwarding: true }] }));
    expect([swept, routes.families]).toEqual([['ipv6'], ['ipv4']]);
  });

  it('drops what is not sent again with the End-of-RIB of its family', () => {
    const { clock, routes, swept } = kept();
    routes.keep(negotiated({}));
    routes.back(negotiated({}));
    clock.advance(200_000);
    expect(swept).toEqual([]);
    routes.endOfRib('ipv6');
    routes.endOfRib('ipv6');
    expect([swept, routes.families]).toEqual([['ipv6'], ['ipv4']]);
    routes.endOfRib('ipv4');
    clock.advance(3_600_000);
    expect(swept).toEqual(['ipv6', 'ipv4']);
  });

  it('drops at once what the peer did not keep forwarding', () => {
    const { routes, swept } = kept();
    routes.keep(negotiated({}));
    routes.back(
      negotiated({
        families: [
          { family: 'ipv4', forwarding: false },
          { family: 'ipv6', forwarding: true },
        ],
      }),
    );
    expect(swept).toEqual(['ipv4']);
    const gone = kept();
    gone.routes.keep(negotiated({}));
    gone.routes.back(negotiated());
    expect(gone.swept).toEqual(['ipv4', 'ipv6']);
  });

  it('drops all when a peer that is back never says that it sent all', () => {
    const { clock, routes, swept } = kept();
    routes.keep(negotiated({}));
    routes.back(negotiated({}));
    clock.advance(360_000);
    expect(swept).toEqual(['all']);
  });

  const withLongLived = (seconds: number, restart: Partial<PeerRestart> = {}): Negotiated => {
    return { ...negotiated({ restartTime: 10, ...restart }), longLived: [{ family: 'ipv4', forwarding: true, seconds }] };
  };

  it('keeps as a last resort what the peer keeps for longer, RFC 9494, until that is over, too', () => {
    const { clock, longLived, routes, swept } = kept();
    routes.keep(withLongLived(60));
    clock.advance(10_000);
    expect([longLived, swept, routes.families]).toEqual([['ipv4'], ['ipv6'], ['ipv4']]);
    clock.advance(59_999);
    expect(swept).toEqual(['ipv6']);
    clock.advance(1);
    expect([swept, routes.families]).toEqual([['ipv6', 'ipv4'], []]);
  });

  it.each([
    ['is back with all its routes', (routes: KeptRoutes) => routes.endOfRib('ipv4'), ['ipv6', 'ipv4']],
    ['did not keep forwarding', (routes: KeptRoutes) => routes.back(withLongLived(60, { families: [] })), ['ipv6', 'ipv4']],
    ['is forgotten', (routes: KeptRoutes) => routes.forget(), ['ipv6']],
  ] as const)('ends the last resort when the peer %s', (_, end, expected) => {
    const { clock, routes, swept } = kept();
    routes.keep(withLongLived(60));
    clock.advance(10_000);
    end(routes);
    expect([swept, routes.families]).toEqual([expected, []]);
    clock.advance(3_600_000);
    expect(swept).toEqual(expected);
  });

  it('measures each restart by its own clock', () => {
    const { clock, routes, swept } = kept();
    routes.keep(withLongLived(60));
    clock.advance(10_000);
    routes.endOfRib('ipv4');
    routes.keep(withLongLived(60, { restartTime: 100 }));
    clock.advance(99_999);
    expect([swept, routes.families]).toEqual([
      ['ipv6', 'ipv4'],
      ['ipv4', 'ipv6'],
    ]);
  });
});
