import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@isthmus/core';
import { CONFIG_INVALID } from '../config/parse-config.ts';

/**
 * Reads settings as a process gets them: `--config-dir DIR` (one file per key, as a mounted ConfigMap), then `--key value` or
 * `--key=value`; later ones win, a lone `--key` means `true`.
 * @throws CodedError CONFIG_INVALID for what is not a flag, or a folder that cannot be read
 */
export function readConfigSources(argv: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string;
    if (!word.startsWith('--')) throw new CodedError(CONFIG_INVALID, `${word} is not a flag`, { object: word });
    const equals = word.indexOf('=');
    const key = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const next = argv[i + 1];
    let value = equals < 0 ? 'true' : word.slice(equals + 1);
    if (equals < 0 && next !== undefined && !next.startsWith('--')) {
      value = next;
      i++;
    }
    if (key === 'config-dir') Object.assign(values, readConfigDir(value));
    else values[key] = value;
  }
  return values;
}

/** A folder with one file per key. Names that start with a dot are Kubernetes' own links. */
export function readConfigDir(dir: string): Record<string, string> {
  const values: Record<string, string> = {};
  try {
    for (const name of readdirSync(dir)) {
      const file = join(dir, name);
      if (!name.startsWith('.') && statSync(file).isFile()) values[name] = readFileSync(file, 'utf8').trim();
    }
  } catch (cause) {
    throw new CodedError(CONFIG_INVALID, `config-dir ${dir} cannot be read`, { object: dir, cause });
  }
  return values;
}
