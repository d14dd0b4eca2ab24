const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
];

/** A span in the largest unit that it has two of: `45s`, `5m`, `30h`, `3d`. */
export function spanText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const unit = UNITS.find(([, size]) => whole >= 2 * size);
  return unit ? `${Math.floor(whole / unit[1])}${unit[0]}` : `${whole}s`;
}

/** How long ago a date was, as {@link spanText}; empty when it is no date. */
export function ageText(date: string | undefined, nowMs: number): string {
  const then = Date.parse(date ?? '');
  return Number.isNaN(then) ? '' : spanText((nowMs - then) / 1000);
}
