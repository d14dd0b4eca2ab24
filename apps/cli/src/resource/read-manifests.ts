import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, messageOf } from '@isthmus/core';
import { CLI_FILE } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { type Manifest, type ManifestText, parseManifests } from './parse-manifests.ts';

const MANIFEST_NAME = /\.(ya?ml|json)$/;

/**
 * Reads all objects that a command line names: files, `-` for standard input, folders (their `.yaml`, `.yml` and `.json`, by name). Either
 * everything is valid or nothing is returned: a half-applied folder helps nobody.
 * @throws CodedError CLI_FILE; AggregateError of RESOURCE_INVALID and RESOURCE_KIND_UNKNOWN, one for each thing that is wrong
 */
export async function readManifests(cli: Cli, paths: readonly string[], namespace: string): Promise<readonly Manifest[]> {
  const texts = (await Promise.all(paths.map((path) => readTexts(cli, path)))).flat();
  const parsed = texts.map((text) => parseManifests(text, namespace));
  const errors = parsed.flatMap((each) => each.errors);
  if (errors.length > 0) throw new AggregateError(errors, 'nothing was changed');
  return parsed.flatMap((each) => each.manifests);
}

async function readTexts(cli: Cli, path: string): Promise<ManifestText[]> {
  if (path === '-') return [{ name: 'standard input', text: await cli.terminal.readInput() }];
  try {
    if (!(await stat(path)).isDirectory()) return [{ name: path, text: await readFile(path, 'utf8') }];
    const names = (await readdir(path)).filter((name) => MANIFEST_NAME.test(name)).sort();
    return await Promise.all(names.map(async (name) => ({ name: join(path, name), text: await readFile(join(path, name), 'utf8') })));
  } catch (cause) {
    throw new CodedError(CLI_FILE, messageOf(cause), { object: path, cause });
  }
}
