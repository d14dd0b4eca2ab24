import { CodedError } from '@isthmus/core';
import type { BgpSummary } from '../bgp/bgp-summary.ts';
import { type BgpPeerView, type BgpPolicyView, type BgpRouteKind, type BgpRouteView } from '../bgp/bgp-view.ts';
import { API_NOT_FOUND, API_REQUEST_INVALID, type ApiRequest } from './unix-server.ts';

/** What the API shows of BGP. */
export interface BgpApi {
  peers(): readonly BgpPeerView[];
  /** @param peer address or name; empty: all */
  routes(kind: BgpRouteKind, peer: string): Iterable<BgpRouteView>;
  policies(): readonly BgpPolicyView[];
  /** Learned routes that are not installed, by prefix, and why. */
  refused(): ReadonlyMap<string, string>;
  summary(): BgpSummary;
  readonly draining: boolean;
  setDraining(draining: boolean): void;
}

const KINDS: readonly string[] = ['available', 'advertised', 'received'];
/** A table of the Internet is a million routes: whoever wants it all asks for it. */
const ROUTES_SHOWN = 10_000;

/** `peers`, `routes/<kind>?peer=&family=&limit=`, `policies`, `refused`, `drain`. @throws CodedError API_NOT_FOUND */
export function bgpAnswer(bgp: BgpApi | undefined, { rest, query }: ApiRequest): unknown {
  const [what, kind = ''] = rest;
  if (what === 'peers') return bgp?.peers() ?? [];
  if (what === 'policies') return bgp?.policies() ?? [];
  if (what === 'refused') return Array.from(bgp?.refused() ?? [], ([prefix, reason]) => ({ prefix, reason }));
  if (what === 'drain') return { draining: bgp?.draining ?? false };
  if (what === 'routes' && KINDS.includes(kind)) {
    const routes = bgp?.routes(kind as BgpRouteKind, query.get('peer') ?? '') ?? [];
    return [...take(ofFamily(routes, query.get('family')), Number(query.get('limit') ?? ROUTES_SHOWN))];
  }
  throw new CodedError(API_NOT_FOUND, `there is nothing of BGP under ${rest.join('/')}`, { object: rest.join('/') });
}

/** @throws CodedError API_REQUEST_INVALID */
export function drainAnswer(bgp: BgpApi | undefined, body: unknown): unknown {
  const wanted = (body as { draining?: unknown } | undefined)?.draining;
  if (typeof wanted !== 'boolean') throw new CodedError(API_REQUEST_INVALID, 'draining: must be true or false', { object: 'draining' });
  if (bgp === undefined) throw new CodedError(API_REQUEST_INVALID, 'BGP does not run yet on this node', { object: 'draining' });
  bgp.setDraining(wanted);
  return { draining: bgp.draining };
}

function* ofFamily(routes: Iterable<BgpRouteView>, family: string | null): Generator<BgpRouteView> {
  for (const route of routes) if (family === null || route.family === family) yield route;
}

function* take<T>(items: Iterable<T>, count: number): Generator<T> {
  let left = count;
  for (const item of items) {
    if (left-- <= 0) return;
    yield item;
  }
}
