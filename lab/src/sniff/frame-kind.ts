/** What the sniffers take a frame for, in the order of `enum frame_kind` (bpf/sniffer/kind.h). */
export const FRAME_KINDS = [
  'arp',
  'neighbour',
  'wireguard',
  'exempt',
  'station',
  'pod',
  'tunnel',
  'node',
  'fragment',
  'malformed',
  'unknown',
  'readable',
] as const;

/** One of {@link FRAME_KINDS}. */
export type FrameKind = (typeof FRAME_KINDS)[number];

/** How many frames there were of each kind. */
export type KindCounts = Readonly<Record<FrameKind, number>>;

const MAY_PASS: ReadonlySet<FrameKind> = new Set(['arp', 'neighbour', 'wireguard', 'exempt', 'station']);

/** Whether a frame must not be on a cable of a lab whose nodes encrypt. */
export function isForbidden(kind: FrameKind): boolean {
  return !MAY_PASS.has(kind);
}

/** How many frames were of a kind that must not be there. */
export function forbiddenFrames(counts: KindCounts): number {
  return FRAME_KINDS.filter(isForbidden).reduce((sum, kind) => sum + counts[kind], 0);
}

/** `1200 wireguard, 4 arp`: the kinds that there were frames of, for which `which` holds. */
export function kindsText(counts: KindCounts, which: (kind: FrameKind) => boolean = () => true): string {
  const seen = FRAME_KINDS.filter((kind) => which(kind) && counts[kind] > 0);
  return seen.map((kind) => `${counts[kind]} ${kind}`).join(', ') || 'none';
}
