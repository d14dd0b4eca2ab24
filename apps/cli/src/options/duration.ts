import { InvalidArgumentError } from 'commander';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Reads a span such as `90s`, `15m`, `1h` or `1m30s`; a bare number is seconds.
 * @returns milliseconds
 * @throws InvalidArgumentError
 */
export function parseDuration(text: string): number {
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const parts = [...text.matchAll(/(\d+)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) throw new InvalidArgumentError('Write it as 90s, 15m or 1h.');
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNIT_MS[unit as string] as number), 0);
}
