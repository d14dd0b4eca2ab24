import { CONFIG_KEYS, type ConfigKey, configSchema } from '@isthmus/model';
import { z } from 'zod';
import { table } from './table.ts';

/** The page of every setting. */
export function configurationPage(): string {
  const rows = CONFIG_KEYS.map((key) => [`\`${key}\``, valuesOf(key), defaultOf(key), configSchema[key].description ?? '']);
  return `# Configuration

One schema for every process; each takes from it what concerns it. A setting is a flag (\`--key value\` or \`--key=value\`), or a file of its own in
the folder named by \`--config-dir\`, as a mounted ConfigMap has it; what comes later on the command line wins. A value that cannot be ends the
process with \`CONFIG_INVALID\` and status 78; an unknown key is warned of, with the nearest known one, and ignored. Keys that \`cilium-config\` has
under the same name mean the same here.

Written by \`scripts/generate-docs.ts\` from \`libs/model/src/config/config-schema.ts\`.

${table(['Key', 'Values', 'Default', 'Meaning'], rows)}`;
}

/** The part of a JSON schema that tells what a value may be. */
interface Shape {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

function valuesOf(key: ConfigKey): string {
  const shape = z.toJSONSchema(configSchema[key], { io: 'output', unrepresentable: 'any' }) as Shape;
  if (shape.enum) return shape.enum.map((value) => `\`${value}\``).join(', ');
  if (shape.type === 'integer') return `${shape.minimum} to ${shape.maximum}`;
  if (shape.type === 'boolean') return '`true`, `false`';
  return Array.isArray(parsedDefault(key)) ? 'list, by commas or blanks' : 'text';
}

function defaultOf(key: ConfigKey): string {
  const value = parsedDefault(key);
  const text = Array.isArray(value) ? value.join(',') : String(value);
  return text === '' ? 'empty' : `\`${text}\``;
}

function parsedDefault(key: ConfigKey): unknown {
  return configSchema[key].parse(undefined);
}
