import { CodedError, defineError } from '@isthmus/core';
import { CONFIG_KEYS, type Config, type ConfigKey, configSchema } from './config-schema.ts';

export const CONFIG_INVALID = defineError(
  'CONFIG_INVALID',
  'A setting has a value that it cannot have.',
  'Correct the setting and start again.',
);

/** Settings and what was odd about them. */
export interface ParsedConfig {
  config: Config;
  /** Unknown keys, each with the nearest known one: they are ignored, not refused, so that a newer ConfigMap works. */
  warnings: string[];
}

/**
 * Parses settings given as text.
 * @throws CodedError CONFIG_INVALID naming the key, the value and what it may be
 */
export function parseConfig(values: Readonly<Record<string, string>>): ParsedConfig {
  const config: Record<string, unknown> = {};
  for (const key of CONFIG_KEYS) config[key] = parseOne(key, values[key]);
  const warnings = Object.keys(values)
    .filter((key) => !Object.hasOwn(configSchema, key))
    .map((key) => `unknown setting ${key}; did you mean ${nearestKey(key)}?`);
  return { config: config as Config, warnings };
}

function parseOne(key: ConfigKey, value: string | undefined): unknown {
  const result = configSchema[key].safeParse(value === undefined ? undefined : value.trim());
  if (result.success) return result.data;
  const why = result.error.issues[0]?.message ?? 'not valid';
  throw new CodedError(CONFIG_INVALID, `${key} = ${JSON.stringify(value)}: ${why}`, { object: key });
}

/** The known key that takes the fewest edits to reach. */
export function nearestKey(key: string): ConfigKey {
  let best: ConfigKey = CONFIG_KEYS[0] as ConfigKey;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of CONFIG_KEYS) {
    const distance = editDistance(key, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
