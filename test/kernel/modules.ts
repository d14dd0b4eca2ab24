import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Every module of a kernel by its name, from its folder below `/lib/modules`. */
export function findModules(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ko'));
  return new Map(files.map((file) => [moduleName(basename(file, '.ko')), join(folder, file)]));
}

/**
 * The modules that are wanted and what they need, each behind what it needs. One that is not there is built into the kernel, or will be
 * missed by whoever uses it.
 */
export function inLoadOrder(modules: ReadonlyMap<string, string>, wanted: readonly string[]): string[] {
  const order = new Set<string>();
  const add = (name: string): void => {
    const file = modules.get(name);
    if (file === undefined || order.has(file)) return;
    for (const needed of dependencies(readFileSync(file))) add(needed);
    order.add(file);
  };
  for (const name of wanted) add(name);
  return [...order];
}

/** What a module says of itself in its section `.modinfo`: `key=value` strings, each with a NUL behind it. */
function dependencies(module: Buffer): string[] {
  const key = '\0depends=';
  const at = module.indexOf(key);
  if (at < 0) return [];
  const text = module.toString('latin1', at + key.length, module.indexOf(0, at + key.length));
  return text
    .split(',')
    .filter((name) => name !== '')
    .map(moduleName);
}

/** In names of modules a dash is an underscore. */
function moduleName(name: string): string {
  return name.replaceAll('-', '_');
}
