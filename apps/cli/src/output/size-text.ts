const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'];

/** A number of bytes in the largest unit that it has one of: `0 B`, `1.5 KiB`, `20 MiB`. */
export function sizeText(bytes: number): string {
  let [value, unit] = [bytes, 'B'];
  for (const next of UNITS) if (value >= 1024) [value, unit] = [value / 1024, next];
  return `${unit === 'B' || value >= 10 ? Math.round(value) : value.toFixed(1)} ${unit}`;
}
