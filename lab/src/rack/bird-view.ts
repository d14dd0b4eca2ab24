import type { RackSession } from './rack-session.ts';
import type { TorRoute, TorSession } from './tor-view.ts';

/** Reads what BIRD prints of the routes of one prefix: a head with the session's name for each, then its attributes. */
export function parseBirdRoutes(prefix: string, text: string, sessions: readonly RackSession[]): TorRoute[] {
  const heads = [...text.matchAll(/^\S*\s+unicast \[(\S+) [^\]]*\]( \*)?.*$/gm)];
  return heads.map((head, index): TorRoute => {
    const body = text.slice(head.index, heads[index + 1]?.index);
    const value = (name: string): string | undefined => new RegExp(`BGP\\.${name}: (.*)`).exec(body)?.[1];
    const [localPreference, med] = [value('local_pref'), value('med')];
    return {
      prefix,
      peer: sessions.find(({ name }) => name === head[1])?.peer ?? '',
      // Of two, the second is of the link itself.
      nextHop: value('next_hop')?.split(' ')[0] ?? '',
      asPath: (value('as_path') ?? '').split(' ').filter(Boolean).map(Number),
      communities: tuples(value('community')),
      largeCommunities: tuples(value('large_community')),
      best: head[2] !== undefined,
      ...(localPreference === undefined ? {} : { localPreference: Number(localPreference) }),
      ...(med === undefined ? {} : { med: Number(med) }),
    };
  });
}

/** Reads what BIRD says of one session, and of BFD. */
export function parseBirdSession({ peer, toNode }: RackSession, protocol: string, bfdSessions: string): TorSession {
  const value = (name: string): string => new RegExp(`^\\s+${name}:\\s+(.*)$`, 'm').exec(protocol)?.[1]?.trim() ?? '';
  const state = value('BGP state') || 'unknown';
  const bfd = bfdSessions.split('\n').find((line) => line.split(/\s+/)[0] === peer);
  return {
    established: state === 'Established',
    state,
    bfd: toNode ? (bfd?.split(/\s+/)[2] === 'Up' ? 'up' : 'down') : 'off',
    received: Number(/(\d+) imported/.exec(value('Routes'))?.[1] ?? 0),
    lastError: value('Last error'),
  };
}

/** `(65535,0) (1, 2, 3)` */
function tuples(text = ''): string[] {
  return [...text.matchAll(/\(([^)]*)\)/g)].map(([, inside = '']) => inside.replaceAll(/\s*,\s*/g, ':'));
}
