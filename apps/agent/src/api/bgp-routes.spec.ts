import { isCoded } from '@isthmus/core';
import { bgpSummary } from '../bgp/bgp-summary.ts';
import type { BgpRouteView } from '../bgp/bgp-view.ts';
import { type BgpApi, bgpAnswer, drainAnswer } from './bgp-routes.ts';
import { API_NOT_FOUND, API_REQUEST_INVALID } from './unix-server.ts';

function api() {
  const asked: unknown[] = [];
  let draining = false;
  const bgp: BgpApi = {
    peers: () => [],
    *routes(kind, peer) {
      asked.push([kind, peer]);
      for (let i = 0; i < 20_000; i++) yield { prefix: `10.${i >> 8}.${i & 255}.0/24`, family: 'ipv4' } as BgpRouteView;
      yield { prefix: 'fd00::/64', family: 'ipv6' } as BgpRouteView;
    },
    policies: () => [],
    refused: () => new Map([['10.1.0.0/24', 'own-pod-cidr']]),
    summary: () => bgpSummary({ peers: [], learnedRoutes: 0, refusedRoutes: 1, draining }),
    get draining() {
      return draining;
    },
    setDraining: (wanted) => {
      draining = wanted;
    },
  };
  const get = (path: string, query = '', of: BgpApi | undefined = bgp): unknown =>
    bgpAnswer(of, { rest: path.split('/'), query: new URLSearchParams(query), body: undefined, signal: AbortSignal.abort() });
  return { bgp, asked, get };
}

describe('the API of BGP', () => {
  it('lists routes of a kind and peer, as many as are asked for', () => {
    const { get, asked } = api();
    expect(get('routes/received', 'peer=tor&limit=3')).toHaveLength(3);
    expect(get('routes/available')).toHaveLength(10_000);
    expect(get('routes/received', 'family=ipv6&limit=3')).toMatchObject([{ prefix: 'fd00::/64' }]);
    expect(asked).toEqual([
      ['received', 'tor'],
      ['available', ''],
      ['received', ''],
    ]);
  });

  it('tells which learned routes are not installed, and why', () => {
    expect(api().get('refused')).toEqual([{ prefix: '10.1.0.0/24', reason: 'own-pod-cidr' }]);
  });

  it('has nothing to show before BGP runs, and knows no other names', () => {
    const { get } = api();
    expect(['peers', 'policies', 'refused', 'routes/received', 'drain'].map((path) => bgpAnswerOf(path))).toEqual([
      [],
      [],
      [],
      [],
      { draining: false },
    ]);
    for (const path of ['', 'routes', 'routes/sent', 'nobody'])
      expect(() => get(path)).toThrow(expect.objectContaining({ code: API_NOT_FOUND.code }));
    function bgpAnswerOf(path: string): unknown {
      return bgpAnswer(undefined, { rest: path.split('/'), query: new URLSearchParams(), body: undefined, signal: AbortSignal.abort() });
    }
  });

  it('drains and takes it back, and refuses what is neither', () => {
    const { bgp, get } = api();
    expect(drainAnswer(bgp, { draining: true })).toEqual({ draining: true });
    expect(get('drain')).toEqual({ draining: true });
    expect(drainAnswer(bgp, { draining: false })).toEqual({ draining: false });
    for (const body of [undefined, {}, { draining: 'yes' }]) {
      try {
        drainAnswer(bgp, body);
        throw new Error('was taken');
      } catch (error) {
        expect(isCoded(error, API_REQUEST_INVALID)).toBe(true);
      }
    }
    expect(() => drainAnswer(undefined, { draining: true })).toThrow('does not run yet');
  });
});
