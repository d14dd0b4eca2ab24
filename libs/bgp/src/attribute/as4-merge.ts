import { asPathLength } from './as-path.codec.ts';
import type { AsPathSegment } from './path-attributes.ts';

/**
 * The path that a peer without four-octet AS numbers passed on, RFC 6793 §4.2.3: AS4_PATH, behind as many leading numbers of AS_PATH as it is
 * shorter by. One that is longer than AS_PATH is not believed. Confederation segments of AS4_PATH are left out (§6).
 */
export function mergeAsPath(path: readonly AsPathSegment[], as4Path: readonly AsPathSegment[]): readonly AsPathSegment[] {
  const wide = as4Path.filter(({ type }) => type === 'sequence' || type === 'set');
  const leading = asPathLength(path) - asPathLength(wide);
  if (leading < 0 || wide.length === 0) return path;
  return joined([...firstOf(path, leading), ...wide]);
}

/** Segments that count `length` together, confederation segments before and between them included. */
function firstOf(path: readonly AsPathSegment[], length: number): AsPathSegment[] {
  const taken: AsPathSegment[] = [];
  let left = length;
  for (const segment of path) {
    const counts = asPathLength([segment]);
    if (left === 0 && counts > 0) break;
    taken.push(counts <= left ? segment : { type: segment.type, asns: segment.asns.slice(0, left) });
    left = Math.max(0, left - counts);
  }
  return taken;
}

/** Two sequences side by side are one. */
function joined(segments: readonly AsPathSegment[]): AsPathSegment[] {
  const out: AsPathSegment[] = [];
  for (const segment of segments) {
    const last = out.at(-1);
    if (last?.type === 'sequence' && segment.type === 'sequence')
      out[out.length - 1] = { type: 'sequence', asns: [...last.asns, ...segment.asns] };
    else out.push(segment);
  }
  return out;
}
